/** Common parts of OTLP messages, whether they came as JSON or as protobuf. */
export interface AnyValue {
  stringValue?: string
  boolValue?: boolean
  intValue?: number | string
  doubleValue?: number
  arrayValue?: { values?: AnyValue[] }
  kvlistValue?: { values?: KeyValue[] }
  bytesValue?: string | Uint8Array
}
export interface KeyValue {
  key: string
  value?: AnyValue
}
export interface Resource {
  attributes?: KeyValue[]
}

export const textOf = (value: AnyValue | undefined): string => {
  if (!value) return ''
  if (value.stringValue !== undefined && value.stringValue !== null) return value.stringValue
  if (value.intValue !== undefined && value.intValue !== null) return String(value.intValue)
  if (value.doubleValue !== undefined && value.doubleValue !== null) return String(value.doubleValue)
  if (value.boolValue !== undefined && value.boolValue !== null) return String(value.boolValue)
  if (value.arrayValue) return JSON.stringify((value.arrayValue.values ?? []).map(textOf))
  if (value.kvlistValue) return JSON.stringify(attributesOf(value.kvlistValue.values))
  if (value.bytesValue)
    return typeof value.bytesValue === 'string' ? value.bytesValue : Buffer.from(value.bytesValue).toString('base64')
  return ''
}
export const attributesOf = (list: readonly KeyValue[] | undefined): Record<string, string> => {
  const out: Record<string, string> = {}
  if (!Array.isArray(list)) return out
  for (const entry of list) if (entry && typeof entry.key === 'string') out[entry.key] = textOf(entry.value)
  return out
}

/** Trace and span ids: hex in JSON, bytes in protobuf; undefined when empty or all zero. */
export const hexId = (id: string | Uint8Array | undefined): string | undefined => {
  if (!id || id.length === 0) return undefined
  const hex = typeof id === 'string' ? id.toLowerCase() : Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
  return /^0*$/.test(hex) ? undefined : hex
}

/** Nanoseconds as number, string or Long to microseconds; 0 when absent. */
export const microseconds = (nanos: unknown): number => {
  if (nanos === undefined || nanos === null) return 0
  if (typeof nanos === 'string') return nanos.length > 3 ? Number(nanos.slice(0, -3)) : 0
  return Math.floor(Number(nanos) / 1000)
}
export const numberOf = (value: unknown): number => (value === undefined || value === null ? Number.NaN : Number(value))

/** Who sent it, as OpenTelemetry's resource conventions name it. */
export interface Origin {
  readonly entity: string
  readonly environment: string
  readonly instance?: string
  readonly version?: string
  readonly configHash?: string
  readonly attributes: Readonly<Record<string, string>>
}
export const originOf = (resource: Resource | undefined, defaultEnvironment: string): Origin => {
  const attributes = attributesOf(resource?.attributes)
  return {
    entity: `service:${attributes['service.name'] || 'unknown'}`,
    environment: attributes['deployment.environment.name'] || attributes['deployment.environment'] || defaultEnvironment,
    instance: attributes['service.instance.id'] || attributes['k8s.pod.name'] || undefined,
    version: attributes['service.version'] || undefined,
    configHash: attributes['service.config.hash'] || attributes['config.hash'] || undefined,
    attributes,
  }
}
