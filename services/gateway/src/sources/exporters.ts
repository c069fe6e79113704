import { BoundedMap } from '@aegis/domain'
import type { Sample } from './prometheus-series.ts'

/** Every exporter of the community tells its build under its own name, and the monitors of a target tell of it as `<target>_up`. */
const TELLS = /exporter_build_info$/
const OF_ITSELF = /^(?:up$|scrape_|go_|process_|promhttp_|python_)/
const MOST = 10_000

/**
 * Who is scraped is an exporter and not what it measures, though its job is named after that: then what a process says of itself (`up`, `go_*`, `process_*`) is
 * about the exporter, which may be well while its target is gone.
 */
export class Exporters {
  readonly #known = new BoundedMap<string, true>(MOST)

  see({ name, labels }: Sample): void {
    if (TELLS.test(name)) this.#known.set(keyOfTarget(labels), true)
  }
  asItself(sample: Sample): Sample {
    const { name, labels } = sample
    if (!OF_ITSELF.test(name) || !labels.job || !this.#known.get(keyOfTarget(labels)) || labels.job.endsWith('exporter'))
      return sample
    return { ...sample, labels: { ...labels, job: `${labels.job}-exporter` } }
  }
}
const keyOfTarget = (labels: Sample['labels']): string => `${labels.job ?? ''} ${labels.instance ?? ''}`
