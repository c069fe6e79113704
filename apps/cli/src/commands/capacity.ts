/** `aegis capacity`: how many instances and partitions a load takes. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { AegisError } from '@aegis/domain'
import { Command } from 'commander'
import { planFor } from '../capacity/plan.ts'

const BENCHES = path.resolve(import.meta.dirname, '../../../../lab/bench')
const figures = (name: string) => JSON.parse(readFileSync(path.join(BENCHES, `${name}.json`), 'utf8'))

const number = (what: string, least: number) => (text: string) => {
  const value = Number(text.replaceAll('_', ''))
  if (!Number.isFinite(value) || value < least)
    throw new AegisError('INPUT_INVALID', `${what} must be a number of at least ${least}, not "${text}"`)
  return value
}

export const capacityCommand = (): Command =>
  new Command('capacity')
    .requiredOption('--lines <n>', 'log lines a second', number('--lines', 0))
    .requiredOption('--series <n>', 'metric series', number('--series', 0))
    .option('--interval <seconds>', 'seconds between two values of a series', number('--interval', 1), 15)
    .addHelpText('after', '\nFrom what one core was measured to do: docs/guides/capacity.md says how, and what is not reckoned.')
    .action(({ lines, series, interval }: { lines: number; series: number; interval: number }) => {
      const measured = figures('capacity')
      const { needs, partitions } = planFor(
        { lines, series, intervalSeconds: interval },
        {
          transport: measured.transport,
          logParser: 1e6 / figures('pipeline')['one process'].logParser,
          logDetection: measured['anomaly-detector, lines'],
          metricDetection: measured['anomaly-detector, values'],
          bytesPerSeries: measured.bytesPerSeries,
          snapshotBytesPerSeries: measured.snapshotBytesPerSeries,
        },
      )
      console.log(`${'service'.padEnd(20)} ${'cores'.padStart(6)} ${'instances'.padStart(9)} ${'MB each'.padStart(8)}`)
      for (const n of needs)
        console.log(
          `${n.service.padEnd(20)} ${(n.cores ? n.cores.toFixed(1) : '-').padStart(6)} ${String(n.instances).padStart(9)} ${String(n.megabytes).padStart(8)}`,
        )
      console.log(`\nAEGIS_DATA_PARTITIONS: ${partitions}, set before the first record: keys move when it changes.`)
    })
