import { AegisError, streams } from '@aegis/domain'
import { connectClient } from '@aegis/stack/pipeline/client'
import { Command } from 'commander'

interface TailOptions {
  from: string
  limit?: string
  environment?: string
  ticks: boolean
  dlq: boolean
}

export const tailCommand = (): Command =>
  new Command('tail')
    .argument('<topic>', `one of ${streams.map(s => s.name).join(', ')}`)
    .option('--from <where>', 'start or end', 'end')
    .option('--limit <n>', 'stop after so many records')
    .option('--environment <name>', 'only records of this environment')
    .option('--ticks', 'show ticks too', false)
    .option('--dlq', 'the dead letters of the topic instead', false)
    .action(run)

async function run(topic: string, options: TailOptions): Promise<void> {
  const stream = streams.find(s => s.name === topic.replace(/\.dlq$/, ''))
  if (!stream)
    throw new AegisError('INPUT_INVALID', `there is no stream ${topic}; there are ${streams.map(s => s.name).join(', ')}`)
  if (options.from !== 'start' && options.from !== 'end')
    throw new AegisError('INPUT_INVALID', `--from must be start or end, not ${options.from}`)
  const client = await connectClient()
  const limit = options.limit === undefined ? Number.POSITIVE_INFINITY : Number(options.limit)
  let shown = 0
  let finish: () => void = () => undefined
  const finished = new Promise<void>(resolve => (finish = resolve))
  process.once('SIGINT', finish)
  const tail = await client.tail(
    [stream],
    options.from,
    decoded => {
      for (const { value, note, record } of decoded) {
        if (note === 'tick' && !options.ticks) continue
        if (options.environment && (value as { environment?: string } | undefined)?.environment !== options.environment) continue
        if (shown++ >= limit) return finish()
        const reason = record.headers['kafka_dlt-exception-message']
        console.log(
          JSON.stringify({
            partition: record.partition,
            offset: record.offset,
            ...(note ? { note } : {}),
            ...(reason ? { reason: String(reason) } : {}),
            value,
          }),
        )
        if (shown >= limit) finish()
      }
    },
    options.dlq || topic.endsWith('.dlq') ? '.dlq' : '',
  )
  if (options.from === 'end') console.error(`waiting for records on ${topic}; Ctrl-C ends`)
  await finished
  await tail.close()
  await client.close()
}
