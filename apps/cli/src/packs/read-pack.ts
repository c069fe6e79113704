/** What is known of a kind of system, as a folder of files that the services read: checked by their own readers, and put together where there are several. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { readAlertRules } from '@aegis/anomaly-detector/read-alert-rules'
import { AegisError, readMetricKnowledge } from '@aegis/domain'
import { userFormats } from '@aegis/log-mining'
import { RUNTIME_SETTINGS } from '@aegis/runtime'
import { SERVICES } from '@aegis/stack/pipeline/services'
import { parse, stringify } from 'yaml'
import { z } from 'zod'

export interface Pack {
  readonly name: string
  readonly about: string
  readonly settings: Readonly<Record<string, string>>
  readonly rules: readonly Readonly<Record<string, unknown>>[]
  readonly knowledge: string
  readonly formats: readonly Readonly<Record<string, unknown>>[]
}
export const SHIPPED = path.resolve(import.meta.dirname, '../../../../deploy/packs')
const head = z.strictObject({
  about: z.string().min(1),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
})

export const shippedPacks = (): string[] =>
  readdirSync(SHIPPED, { withFileTypes: true }).flatMap(e => (e.isDirectory() ? [e.name] : []))

const settingNames = async (): Promise<ReadonlySet<string>> => {
  const all = await Promise.all(Object.values(SERVICES).map(load => load()))
  return new Set([RUNTIME_SETTINGS, ...all.map(service => service.settings)].flatMap(s => Object.values(s).map(one => one.env)))
}

/**
 * @param which name of a shipped pack, or a folder
 * @throws INPUT_INVALID naming the file and what is wrong with it
 */
export async function readPack(which: string): Promise<Pack> {
  const folder = which.includes('/') || which === '.' ? which : path.join(SHIPPED, which)
  const invalid = (why: string, cause?: unknown) => new AegisError('INPUT_INVALID', why, { cause })
  if (!existsSync(path.join(folder, 'pack.yaml')))
    throw invalid(`there is no pack ${which}: ${folder} has no pack.yaml; shipped are ${shippedPacks().join(', ')}`)
  const text = (file: string): string => {
    const full = path.join(folder, file)
    return existsSync(full) ? readFileSync(full, 'utf8') : ''
  }
  const checked = <T>(file: string, read: () => T): T => {
    try {
      return read()
    } catch (cause) {
      throw invalid(`${path.join(folder, file)}: ${(cause as Error).message}`, cause)
    }
  }
  const { about, settings } = checked('pack.yaml', () => {
    const read = head.safeParse(parse(text('pack.yaml')))
    if (!read.success) throw new Error(read.error.issues.map(i => `${i.path.join('.') || 'the file'}: ${i.message}`).join('; '))
    return read.data
  })
  const known = await settingNames()
  for (const name of Object.keys(settings))
    if (!known.has(name)) throw invalid(`${path.join(folder, 'pack.yaml')}: no service has a setting ${name}`)
  const rulesText = text('alert-rules.yaml')
  const { faults } = readAlertRules(rulesText, path.join(folder, 'alert-rules.yaml'))
  if (faults.length > 0) throw invalid(faults.join('\n'))
  const knowledge = text('metric-knowledge.txt')
  checked('metric-knowledge.txt', () => readMetricKnowledge(knowledge))
  const formats = checked('log-formats.yaml', () => {
    const read = parse(text('log-formats.yaml') || 'formats: []')
    if (read.formats?.length !== 0) userFormats(read)
    return read.formats as Pack['formats']
  })
  return {
    name: path.basename(path.resolve(folder)),
    about,
    settings: Object.fromEntries(Object.entries(settings).map(([k, v]) => [k, String(v)])),
    rules: (parse(rulesText || 'rules: []')?.rules ?? []) as Pack['rules'],
    knowledge,
    formats,
  }
}

/** Writes what several packs say together, and gives the settings that make services read it. A setting that two of them give otherwise is an error. */
export function putTogether(packs: readonly Pack[], out: string): Record<string, string> {
  mkdirSync(out, { recursive: true })
  const env: Record<string, string> = {}
  for (const { name, settings } of packs)
    for (const [key, value] of Object.entries(settings)) {
      if (env[key] !== undefined && env[key] !== value)
        throw new AegisError('INPUT_INVALID', `pack ${name} sets ${key} to ${value}, and another to ${env[key]}: leave one out`)
      env[key] = value
    }
  const write = (file: string, setting: string, content: string): void => {
    const full = path.join(out, file)
    writeFileSync(full, content)
    env[setting] = full
  }
  const rules = packs.flatMap(p => p.rules.map(rule => ({ ...rule, name: `${p.name}: ${rule.name}` })))
  if (rules.length > 0) write('alert-rules.yaml', 'AEGIS_ALERT_RULES', stringify({ rules }))
  const knowledge = packs.map(p => p.knowledge.trim()).filter(Boolean)
  if (knowledge.length > 0) write('metric-knowledge.txt', 'AEGIS_METRIC_KNOWLEDGE', `${knowledge.join('\n')}\n`)
  const formats = packs.flatMap(p => p.formats)
  if (formats.length > 0) write('log-formats.yaml', 'AEGIS_LOG_FORMATS', stringify({ formats }))
  return env
}
