/** What the supervisor tells a service when it starts it; one JSON value in the environment. */
export interface Identity {
  service: string
  instance: string
  version: string
  environment: string
  config: Record<string, number | string>
  configHash: string
  limit: number
  port: number
  /** Where the others are now; updates follow as messages. */
  endpoints: Record<string, number[]>
  dataDir: string
  diskQuotaBytes: number
  drillToken: string
  otlpEndpoint?: string
}

export type ToService = { endpoints: Record<string, number[]> } | { limit: number }
export type FromService = { ready: { port: number; drillPort: number } }

export const identityVariable = 'SHOP_SERVICE'
export const readIdentity = (): Identity => JSON.parse(process.env[identityVariable] ?? 'null') as Identity
