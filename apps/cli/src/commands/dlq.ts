import { AegisError, streams } from '@aegis/domain'
import { putBack, type RawRecord, redriven, waiting } from '@aegis/runtime'
import { connectClient, type StreamClient } from '@aegis/stack/pipeline/client'
import { Command } from 'commander'

interface Filter {
  reason?: string
  code?: string
  limit?: string
}
const about = (r: RawRecord) => ({
  place: `${r.partition}/${r.offset}`,
  origin: `${String(r.headers['kafka_dlt-original-topic'])}/${String(r.headers['kafka_dlt-original-partition'])}/${String(r.headers['kafka_dlt-original-offset'])}`,
  code: String(r.headers['kafka_dlt-exception-fqcn'] ?? ''),
  reason: String(r.headers['kafka_dlt-exception-message'] ?? ''),
  stage: String(r.headers['__connect.errors.stage'] ?? ''),
  bytes: r.value?.length ?? 0,
})
const withFilter = (command: Command) =>
  command
    .option('--reason <text>', 'only letters whose reason holds this text')
    .option('--code <code>', 'only letters with this error code')
    .option('--limit <n>', 'at most so many letters')

export const dlqCommand = (): Command => {
  const command = new Command('dlq')
  withFilter(
    command
      .command('list')
      .argument('[stream]', 'one stream; all unless told')
      .description('count dead letters that wait, by stream, code and reason'),
  ).action(list)
  withFilter(
    command.command('show').argument('<stream>').description('print dead letters with their reasons and their bytes'),
  ).action(show)
  withFilter(
    command
      .command('redrive')
      .argument('<stream>')
      .description('put dead letters back on their stream, key, value and headers as they were'),
  )
    .option('--dry-run', 'only say what would be put back', false)
    .option('--rate <n>', 'records a second')
    .action(redrive)
  return command
}

export const letters = async (client: StreamClient, name: string, filter: Filter): Promise<RawRecord[]> => {
  if (!streams.some(s => s.name === name))
    throw new AegisError('INPUT_INVALID', `there is no stream ${name}; there are ${streams.map(s => s.name).join(', ')}`)
  const topic = `${name}.dlq`
  const out: RawRecord[] = []
  for (let p = 0; p < (await client.broker.partitions(topic)); p++) {
    const records: RawRecord[] = []
    await client.broker.read(topic, p, 0, undefined, some => void records.push(...some))
    for (const r of waiting(records)) {
      const { code, reason } = about(r)
      if ((!filter.reason || reason.includes(filter.reason)) && (!filter.code || code === filter.code)) out.push(r)
    }
  }
  return out.slice(0, filter.limit === undefined ? undefined : Number(filter.limit))
}

async function list(stream: string | undefined, filter: Filter): Promise<void> {
  const client = await connectClient()
  let total = 0
  for (const name of stream ? [stream] : streams.map(s => s.name)) {
    const counts = new Map<string, number>()
    for (const r of await letters(client, name, filter)) {
      const { code, reason } = about(r)
      const key = `${code}  ${reason.slice(0, 120)}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      total++
    }
    for (const [key, n] of counts) console.log(`${name.padEnd(24)} ${String(n).padStart(7)}  ${key}`)
  }
  console.log(total === 0 ? 'no dead letters' : `${total} dead letters`)
  await client.close()
}

async function show(stream: string, filter: Filter): Promise<void> {
  const client = await connectClient()
  for (const r of await letters(client, stream, filter)) {
    const a = about(r)
    console.log(`${a.place} from ${a.origin}: ${a.code}: ${a.reason} (${a.stage}, ${a.bytes} bytes)`)
    console.log(`  ${r.value === null ? 'no value' : JSON.stringify(r.value.toString('latin1').slice(0, 400))}`)
  }
  await client.close()
}

async function redrive(stream: string, options: Filter & { dryRun: boolean; rate?: string }): Promise<void> {
  const client = await connectClient()
  const found = await letters(client, stream, options)
  const perSecond = Number(options.rate ?? 0)
  if (!options.dryRun) {
    const producer = await client.broker.producer()
    const size = perSecond > 0 ? Math.max(1, Math.ceil(perSecond / 10)) : 1000
    for (let i = 0; i < found.length; i += size) {
      const some = found.slice(i, i + size)
      await producer.send(some.map(redriven))
      // After, not before: a letter that comes back twice is a lesser evil than one that nobody sees again.
      await producer.send(some.map(putBack))
      if (perSecond > 0) await new Promise(resolve => setTimeout(resolve, (1000 * size) / perSecond))
    }
  }
  console.log(
    `${found.length} dead letters of ${stream} ${options.dryRun ? 'would be put back (dry run)' : 'are back on their stream'}`,
  )
  await client.close()
}
