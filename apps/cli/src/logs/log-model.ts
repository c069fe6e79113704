import { readFileSync, writeFileSync } from 'node:fs'
import { LOG_MODEL_VERSION, type LogModelFile, learnedOf, readLogModel } from '@aegis/anomaly-detection/logs/log-model-file'
import { type LogFinding, LogWatch } from '@aegis/anomaly-detection/logs/log-watch'
import { AegisError, type LogEvent, sessionOf } from '@aegis/domain'

/** A line quoted by a finding. */
export interface QuotedLine {
  readonly line: number
  readonly text: string
}
export interface ServiceFinding extends LogFinding<QuotedLine> {
  readonly service: string
  /** End of the window it was found in, microseconds. */
  readonly time: number
}
const WINDOW_US = 5_000_000
/** A silence so many windows long is a pause between two recordings. */
const PAUSE = 720
const FINDINGS = 10_000
const NOTEWORTHY = new Set(['WARN', 'ERROR', 'CRITICAL'])

/** What each service's log usually looks like, learned from one file and held against another: the detectors of the anomaly-detector service, by the log's own time. */
export class LogModel {
  #services = new Map<string, LogWatch<QuotedLine>>()
  #began = 0
  #now = 0
  readonly findings: ServiceFinding[] = []

  event(event: LogEvent, line: number): void {
    this.#now = Math.max(this.#now, event.time)
    if (this.#began === 0 || this.#now - this.#began > PAUSE * WINDOW_US) this.#began = this.#now
    while (this.#now - this.#began >= WINDOW_US) this.#close(this.#began + WINDOW_US)
    let watch = this.#services.get(event.service)
    if (!watch) this.#services.set(event.service, (watch = new LogWatch()))
    watch.line({
      templateId: event.template_id,
      template: event.template,
      parameters: event.parameters as never,
      bad: NOTEWORTHY.has(event.severity),
      session: sessionOf(event.trace_id, event.parameters as never),
      timeUs: event.time,
      quote: { line, text: event.body.length > 400 ? `${event.body.slice(0, 400)}…` : event.body },
    })
  }

  end(): void {
    if (this.#began > 0) this.#close(this.#began + WINDOW_US)
  }

  #close(time: number): void {
    this.#began = time
    for (const [service, watch] of this.#services)
      for (const finding of watch.close(time))
        if (this.findings.length < FINDINGS) this.findings.push({ ...finding, service, time })
  }

  write(path: string): void {
    const model: LogModelFile = {
      kind: 'aegis-log-model',
      version: LOG_MODEL_VERSION,
      services: [...this.#services].map(([service, watch]) => [service, learnedOf(watch)]),
    }
    writeFileSync(path, `${JSON.stringify(model)}\n`)
  }

  static read(path: string): LogModel {
    let bytes: Buffer
    try {
      bytes = readFileSync(path)
    } catch (cause) {
      throw new AegisError(
        'INPUT_INVALID',
        `--model ${path} cannot be read as a model: ${(cause as Error).message}; make one with --train`,
        { cause },
      )
    }
    const model = new LogModel()
    model.#services = new Map(
      readLogModel(bytes, `--model ${path}`).services.map(([service, state]) => [
        service,
        new LogWatch<QuotedLine>().load(state),
      ]),
    )
    return model
  }
}

/** Findings for a person: the first of each kind and template, with its lines. */
export function findingsText(findings: readonly ServiceFinding[], most: number): string {
  if (findings.length === 0) return 'nothing in it is unlike what was learned'
  const first = new Map<string, ServiceFinding & { times: number }>()
  for (const f of findings) {
    const key = `${f.service} ${f.kind} ${f.templateId}`
    const known = first.get(key)
    if (known) known.times++
    else first.set(key, { ...f, times: 1 })
  }
  const out = ['unlike what was learned:']
  for (const f of [...first.values()].slice(0, most)) {
    out.push(
      `  ${new Date(f.time / 1000).toISOString()}  ${f.service}: ${f.text}${f.times > 1 ? `, and ${f.times - 1} windows more` : ''}`,
    )
    for (const { line, text } of f.quotes.slice(0, 3)) out.push(`      line ${line}: ${text.split('\n', 1)[0].slice(0, 160)}`)
  }
  if (first.size > most) out.push(`  … ${first.size - most} more: --top ${first.size}`)
  return out.join('\n')
}
