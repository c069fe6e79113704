import type { LogEvent } from '@aegis/domain'
import type { Heard } from '@aegis/log-parser/parse-logs'

/** Events as lines of JSON, by their first lines: what was read, as the log-parser service would pass it on. */
export class EventWriter {
  readonly #events: { readonly first: number; readonly text: string }[] = []

  event(event: LogEvent, { writtenUs, first, last }: Heard): void {
    const row = {
      first_line: first + 1,
      last_line: last + 1,
      time: writtenUs === undefined ? null : isoOf(writtenUs),
      severity: event.severity,
      service: event.service,
      template: event.template,
      body: event.body,
      exception: event.exception,
      trace_id: event.trace_id,
    }
    this.#events.push({ first, text: JSON.stringify(row) })
  }

  text(): string {
    return this.#events
      .sort((a, b) => a.first - b.first)
      .map(({ text }) => `${text}\n`)
      .join('')
  }
}

/** To the microsecond, which is all that is kept. */
function isoOf(us: number): string {
  const micros = ((us % 1000) + 1000) % 1000
  const iso = new Date((us - micros) / 1000).toISOString()
  return micros === 0 ? iso.replace('.000Z', 'Z') : iso.replace('Z', `${String(Math.floor(micros)).padStart(3, '0')}Z`)
}
