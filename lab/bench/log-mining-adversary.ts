/**
 * `npm run bench -- log-mining --adversary [lines]`: the template miner on lines made to hurt it, ten million unless told: words never seen twice, keys, nested brackets and quotes,
 * numbers in all forms, first words that vary, lines of 1 to 60 tokens. What is promised: the heap after a collection grows by 64 MiB at most from before the first line, the templates' counts add up to
 * the lines to the last one, and the microseconds a line do not grow. A tenth of the way in the state goes through a snapshot: the restored miner must give the next lines the same ids.
 */
import { seededRandom } from '@aegis/domain'
import { TemplateMiner } from '@aegis/log-mining'
import { fullCollection } from '@aegis/runtime/collect-garbage'

const GROWTH_MIB = 64
const PARTS = 10

export interface AdversaryFigures {
  readonly lines: number
  readonly counted: number
  readonly templates: number
  readonly heapMiBBefore: number
  readonly heapMiBAfter: number
  /** CPU microseconds a line in the first and the last tenth, the making of the lines included. */
  readonly firstMicroseconds: number
  readonly lastMicroseconds: number
  readonly sameAfterRestart: boolean
}

function lineMaker(random: () => number): () => string {
  const letters = (n: number) => Array.from({ length: n }, () => String.fromCharCode(97 + Math.floor(26 * random()))).join('')
  const number = () => Math.floor(10 ** (9 * random()))
  const tokens: readonly (() => string)[] = [
    () => letters(1 + Math.floor(9 * random())),
    () => letters(1 + Math.floor(9 * random())),
    () => `${letters(3)}=${letters(4)}`,
    () => `${letters(2)}${number()}`,
    () => String(number()),
    () => `0x${number().toString(16)}`,
    () => '({[<"'.slice(Math.floor(5 * random())) + letters(3),
    () => `/${letters(2)}/${letters(3)}.${letters(2)}`,
    () => `${number() % 256}.${number() % 256}.${number() % 256}.1:${number() % 65536}`,
    () => ',;:-='.charAt(Math.floor(5 * random())),
  ]
  return () =>
    Array.from({ length: 1 + Math.floor(60 * random() ** 3) }, () => tokens[Math.floor(tokens.length * random())]?.()).join(' ')
}

/** Both learn the lines. */
function sameFromSnapshot(miner: TemplateMiner, lines: readonly string[]): boolean {
  const twin = new TemplateMiner()
  twin.restore(miner.snapshot())
  return lines.every(line => miner.learn(line).templateId === twin.learn(line).templateId)
}

export function adversary(args: readonly string[]): AdversaryFigures {
  const given = args[args.indexOf('--adversary') + 1]
  const lines = given === undefined || given.startsWith('-') ? 10_000_000 : Number(given)
  if (!Number.isInteger(lines) || lines < 1000) throw new Error(`--adversary takes a whole number of at least 1000, not ${given}`)
  const collect = fullCollection()
  const heap = () => {
    collect()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  const make = lineMaker(seededRandom(5))
  const miner = new TemplateMiner()
  const part = Math.floor(lines / PARTS)
  const times: number[] = []
  const heapBefore = heap()
  let sameAfterRestart = false
  let done = 0
  for (let i = 0; i < PARTS; i++) {
    const from = process.cpuUsage()
    const end = i === PARTS - 1 ? lines : done + part
    for (; done < end; done++) miner.learn(make())
    const { user, system } = process.cpuUsage(from)
    times.push((user + system) / part)
    if (i === 0) {
      const next = Array.from({ length: Math.min(500, lines - done) }, make)
      sameAfterRestart = sameFromSnapshot(miner, next)
      done += next.length
    }
    process.stderr.write(`${done} lines, ${times[i]?.toFixed(1)} µs a line, heap ${heap().toFixed(1)} MiB\n`)
  }
  const figures = {
    lines,
    counted: miner.templates().reduce((sum, { count }) => sum + count, 0),
    templates: miner.templates().length,
    heapMiBBefore: heapBefore,
    heapMiBAfter: heap(),
    firstMicroseconds: times[0] as number,
    lastMicroseconds: times[PARTS - 1] as number,
    sameAfterRestart,
  }
  const { counted, heapMiBAfter } = figures
  console.log(JSON.stringify(figures))
  const kept = counted === lines && heapMiBAfter - heapBefore <= GROWTH_MIB && sameAfterRestart
  console.log(
    `${lines} lines, ${counted} counted; heap ${(heapMiBAfter - heapBefore).toFixed(1)} MiB more than before the first line (bar ${GROWTH_MIB}); same ids after a restart: ${sameAfterRestart ? 'yes' : 'NO'}; ${kept ? 'kept' : 'FAILED'}`,
  )
  if (!kept) process.exitCode = 1
  return figures
}
