/** What Aegis said, as it said it: a client of the gateway's server-sent events. */
import type { Anomaly, Decision, Incident, Outcome } from '@aegis/domain'
import { authorization } from '@aegis/stack/own-keys'

export interface Heard {
  readonly anomalies: { at: number; value: Anomaly }[]
  readonly incidents: { at: number; value: Incident }[]
  readonly decisions: { at: number; value: Decision }[]
  readonly outcomes: { at: number; value: Outcome }[]
}
export interface Watch {
  readonly heard: Heard
  /** Told of each record as it comes. */
  onRecord: (stream: string, value: unknown) => void
  stop(): void
}

export const watch = (gatewayUrl: string, environment: string): Watch => {
  const heard: Heard = { anomalies: [], incidents: [], decisions: [], outcomes: [] }
  const abort = new AbortController()
  const self: Watch = { heard, onRecord: () => undefined, stop: () => abort.abort() }
  const lists: Record<string, { at: number; value: never }[]> = {
    anomalies: heard.anomalies as never,
    incidents: heard.incidents as never,
    'remediation.decisions': heard.decisions as never,
    'remediation.outcomes': heard.outcomes as never,
  }
  const read = async () => {
    const response = await fetch(`${gatewayUrl}/api/v1/events`, { headers: authorization(gatewayUrl), signal: abort.signal })
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      let end: number
      while ((end = text.indexOf('\n\n')) >= 0) {
        const event = text.slice(0, end)
        text = text.slice(end + 2)
        const stream = /^event: (.+)$/m.exec(event)?.[1]
        const data = /^data: (.+)$/m.exec(event)?.[1]
        if (!stream || !data) continue
        const value = JSON.parse(data)
        if (value.environment !== environment) continue
        lists[stream]?.push({ at: Date.now(), value: value as never })
        self.onRecord(stream, value)
      }
    }
  }
  const again = () => {
    if (!abort.signal.aborted)
      read()
        .catch(() => undefined)
        .finally(() => setTimeout(again, 500))
  }
  again()
  return self
}
