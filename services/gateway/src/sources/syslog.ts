import { idOf, type LogLine } from '@aegis/domain'
import { parseLine } from '@aegis/log-mining'
import { type Framer, LineFramer, type Listener, listenTcp, listenUdp } from './listen.ts'

/** Longest message, bytes: ten times what RFC 5424 asks receivers for at least. */
const LONGEST = 64 * 1024
const LENGTH = /^([1-9]\d{0,7}) (?=<)/

/**
 * Messages of a TCP connection in either framing of RFC 6587, told apart by each message's beginning: octet counting (`83 <34>1 …`), or ended by a line feed. Some
 * senders end with a NUL.
 */
export class SyslogFramer implements Framer {
  readonly #lines = new LineFramer(LONGEST)
  #counted: boolean | undefined
  #rest = Buffer.alloc(0)

  push(chunk: Buffer): string[] {
    if (this.#counted === undefined) {
      const data = Buffer.concat([this.#rest, chunk])
      const head = data.subarray(0, 12).toString('latin1')
      if (/^[1-9]\d{0,7} ?$/.test(head)) {
        this.#rest = data
        return []
      }
      this.#rest = Buffer.alloc(0)
      this.#counted = LENGTH.test(head)
      return this.push(data)
    }
    return this.#counted ? this.#count(chunk) : this.#lines.push(chunk)
  }

  #count(chunk: Buffer): string[] {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    const messages: string[] = []
    while (data.length > 0) {
      // A line feed between frames is a sender's habit, not a frame.
      if (data[0] === 10 || data[0] === 13 || data[0] === 0) {
        data = data.subarray(1)
        continue
      }
      const head = data.subarray(0, 12).toString('latin1')
      const found = /^([1-9]\d{0,7}) /.exec(head)
      if (!found) {
        if (/^[1-9]\d{0,7}$/.test(head)) break
        throw new Error(`"${head}" is no length of a frame (RFC 6587, octet counting)`)
      }
      const length = Number(found[1])
      if (length > LONGEST) throw new Error(`a frame of ${length} bytes is longer than ${LONGEST}`)
      const start = found[0].length
      if (data.length < start + length) break
      messages.push(data.subarray(start, start + length).toString())
      data = data.subarray(start + length)
    }
    this.#rest = Buffer.from(data)
    return messages
  }
  end(): string[] {
    return this.#counted ? [] : this.#counted === false ? this.#lines.end() : [this.#rest.toString()].filter(Boolean)
  }
}

/** Messages as log lines: whole, as the parser takes headers of RFC 3164 and 5424 apart itself; host and program tell their writers apart. */
export const syslogLines = (
  messages: readonly string[],
  source: string,
  options: { readonly environment: string; readonly now: number; readonly redact: (text: string) => string },
): LogLine[] =>
  messages
    .map(message => message.replace(/[\r\n\0]+$/, ''))
    .filter(message => message.trim() !== '')
    .map((message, i) => {
      const body = options.redact(message)
      const { host, service, fields } = parseLine(message, { observedTimeUs: options.now })
      return {
        id: idOf(options.environment, source, options.now, body, i),
        environment: options.environment,
        time: options.now,
        entity: null,
        body,
        severity: null,
        attributes: {
          ...(host ? { 'host.name': host } : {}),
          ...(service ? { 'syslog.appname': service } : {}),
          ...(fields.pid ? { 'process.pid': fields.pid } : {}),
        },
        trace_id: null,
        span_id: null,
        observed_time: options.now,
        source,
      }
    })

/** Syslog on TCP and UDP of one port. Resolves when both are bound. */
export const listenSyslog = async (
  host: string,
  port: number,
  onMessages: (messages: readonly string[], source: string) => Promise<void>,
  onBad: (source: string, error: Error) => void,
): Promise<Listener> => {
  const tcp = await listenTcp({ host, port, framer: () => new SyslogFramer(), onMessages, onBad })
  const udp = await listenUdp(host, tcp.port, (data, source) => void onMessages([data.toString()], source)).catch(async error => {
    await tcp.close()
    throw error
  })
  return {
    port: tcp.port,
    close: async () => {
      await tcp.close()
      await udp.close()
    },
  }
}
