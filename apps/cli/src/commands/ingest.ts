import path from 'node:path'
import { createInterface } from 'node:readline'
import { AegisError, idOf, type LogLine, logsRaw, metricsRaw, type Observation } from '@aegis/domain'
import { redact } from '@aegis/log-mining'
import { csvRows } from '@aegis/recordings/csv'
import { observationOf } from '@aegis/recordings/observation'
import { openFile } from '@aegis/recordings/open-file'
import { connectClient } from '@aegis/stack/pipeline/client'
import { Command } from 'commander'
import { Progress } from '../progress.ts'

const BATCH = 2000

interface Common {
  environment: string
  rate?: string
}

export const ingestCommand = (): Command => {
  const command = new Command('ingest').addHelpText(
    'after',
    '\nAddresses come from KAFKA_BROKERS and SCHEMA_REGISTRY_URL, else from the local stack of this checkout.',
  )
  command
    .command('logs')
    .argument('<file>', 'log file, .gz too, or - for standard input')
    .description('produce the lines of a file onto logs.raw')
    .option('--service <name>', 'service the lines come from; otherwise the parser finds out')
    .option('--environment <name>', 'environment they belong to', 'default')
    .option('--rate <lines>', 'lines a second; as fast as possible unless told')
    .action(ingestLogs)
  command
    .command('metrics')
    .argument('<file.csv>', 'first column time (seconds or ISO), then one column per <service>__<metric>; .gz too')
    .description('produce the cells of a table onto metrics.raw')
    .option('--environment <name>', 'environment they belong to', 'default')
    .option('--entity <kind:name>', 'entity of columns that name no service', 'service:unknown')
    .option('--rate <rows>', 'rows a second; as fast as possible unless told')
    .action(ingestMetrics)
  return command
}

const opened = (file: string) => openFile(file, 'name a file, or use "aegis replay" for a case folder')
const paced = (rate: string | undefined) => {
  const perSecond = rate === undefined ? 0 : Number(rate)
  if (rate !== undefined && !(perSecond > 0))
    throw new AegisError('INPUT_INVALID', `--rate must be a number above 0, not ${rate}`)
  const started = performance.now()
  let sent = 0
  return async (n: number) => {
    sent += n
    if (perSecond > 0)
      await new Promise(resolve => setTimeout(resolve, Math.max(0, (sent / perSecond) * 1000 - (performance.now() - started))))
  }
}

async function ingestLogs(file: string, options: Common & { service?: string }): Promise<void> {
  const client = await connectClient()
  const progress = new Progress('lines', 0)
  const pace = paced(options.rate)
  const source = file === '-' ? 'standard input' : path.basename(file)
  const size = options.rate ? Math.max(1, Math.min(BATCH, Math.ceil(Number(options.rate) / 10))) : BATCH
  let batch: LogLine[] = []
  let n = 0
  const send = async () => {
    await client.publish(logsRaw, batch)
    progress.add(batch.length)
    await pace(batch.length)
    batch = []
  }
  // Lines end at \n only; a \r before it is the parser's to remove.
  for await (const line of createInterface({ input: opened(file), crlfDelay: 0 })) {
    const now = Date.now() * 1000
    const body = redact(line)
    batch.push({
      id: idOf(source, n++, body),
      environment: options.environment,
      time: now,
      entity: options.service ? `service:${options.service}` : null,
      body,
      observed_time: now,
      source,
    })
    if (batch.length >= size) await send()
  }
  if (batch.length > 0) await send()
  progress.end()
  await client.close()
  console.log(`${n} lines of ${source} are on logs.raw`)
}

async function ingestMetrics(file: string, options: Common & { entity: string }): Promise<void> {
  const input = opened(file)
  const client = await connectClient()
  const progress = new Progress('rows', 0)
  const pace = paced(options.rate)
  let rows = 0
  let cells = 0
  let batch: Observation[] = []
  for await (const { time, cells: row } of csvRows(input, file)) {
    for (const [column, value] of row) batch.push(observationOf(column, value, time, options.environment, options.entity))
    rows++
    progress.add(1)
    if (batch.length >= BATCH || options.rate) {
      await client.publish(metricsRaw, batch)
      cells += batch.length
      batch = []
      await pace(1)
    }
  }
  await client.publish(metricsRaw, batch)
  cells += batch.length
  progress.end()
  await client.close()
  console.log(`${rows} rows of ${path.basename(file)}, ${cells} observations, are on metrics.raw`)
}
