/** Who calls whom by compose files whose services are already put together (https://github.com/compose-spec/compose-spec, 05-services). */
import { AegisError, type Edge, entityId, kindOfWorkload } from '@aegis/domain'
import { get, isDoc, listOf, textOf } from '@aegis/domain/document'
import { type DescribedSystem, described } from './described-system.ts'
import { hostsInCommand, hostsInText, hostsInValue } from './named-hosts.ts'

/** A mapping, or a list of `key=value`; a key alone has no value here. */
export const pairsOf = (value: unknown): [string, string][] =>
  isDoc(value)
    ? Object.entries(value).map(([k, v]) => [k, textOf(v)])
    : listOf(value).map(v => {
        const [, key, rest] = /^([^=]*)=?(.*)$/s.exec(textOf(v))!
        return [key, rest]
      })
const wordsOf = (value: unknown): string[] => (typeof value === 'string' ? value.split(/\s+/) : listOf(value).map(textOf))

export interface ComposeOptions {
  /** Profiles that are on; `*` stands for all. */
  readonly profiles?: readonly string[]
  /** Texts of the files that a service is given: settings mounted into it. */
  readonly filesOf?: (service: unknown) => readonly string[]
}

/** @param document a compose file, or one of the first version, which is services alone */
export const systemOfCompose = (
  document: unknown,
  { profiles = [], filesOf = () => [] }: ComposeOptions = {},
): DescribedSystem => {
  const plain =
    isDoc(document) && Object.values(document).some(s => get(s, 'image') !== undefined || get(s, 'build') !== undefined)
  const services = get(document, 'services') ?? (plain ? document : undefined)
  if (!isDoc(services)) throw new AegisError('INPUT_INVALID', 'no "services" in it: is this a docker-compose file?')
  const all = new Map(Object.entries(services).filter(([, s]) => isDoc(s)))
  const needsOf = (s: unknown): string[] => {
    const needs = get(s, 'depends_on')
    const shared = [textOf(get(s, 'network_mode')), textOf(get(s, 'ipc')), textOf(get(s, 'pid'))]
    return [
      ...(isDoc(needs) ? Object.keys(needs) : listOf(needs).map(textOf)),
      ...listOf(get(s, 'links')).map(l => textOf(l).split(':')[0]),
      ...listOf(get(s, 'volumes_from')).map(v => textOf(v).split(':')[0]),
      ...shared.flatMap(mode => (mode.startsWith('service:') ? [mode.slice(8)] : [])),
    ]
  }
  const isOn = (s: unknown) => {
    const own = listOf(get(s, 'profiles')).map(textOf)
    return own.length === 0 || profiles.includes('*') || own.some(p => profiles.includes(p))
  }
  const on = new Set([...all].filter(([, s]) => isOn(s)).map(([name]) => name))
  for (const name of on) for (const needed of needsOf(all.get(name))) if (all.has(needed)) on.add(needed)
  const known = new Map([...on].map(name => [name, entityId(kindOfWorkload(name, textOf(get(all.get(name), 'image'))), name)]))
  // Other names under which a service is found on its networks.
  const aliases = new Map<string, string>()
  for (const name of on) {
    const s = all.get(name)
    const networks = get(s, 'networks')
    const given = isDoc(networks) ? Object.values(networks).flatMap(n => listOf(get(n, 'aliases')).map(textOf)) : []
    for (const alias of [textOf(get(s, 'container_name')), textOf(get(s, 'hostname')), `tasks.${name}`, ...given])
      if (alias) aliases.set(alias, known.get(name)!)
  }
  const edges: Edge[] = []
  for (const name of on) {
    const service = all.get(name)
    const from = known.get(name)!
    for (const to of needsOf(service)) if (known.has(to)) edges.push({ from, to: known.get(to)!, kind: 'calls' })
    // `db:primary` calls db by a name of its own.
    const links = new Map(
      [...listOf(get(service, 'links')), ...listOf(get(service, 'external_links'))].map(l => {
        const [to, alias = to] = textOf(l).split(':')
        return [alias, known.get(to) ?? aliases.get(to)]
      }),
    )
    const hosts = [
      ...pairsOf(get(service, 'environment')).flatMap(([k, v]) => hostsInValue(k, v)),
      ...pairsOf(get(service, 'build', 'args')).flatMap(([k, v]) => hostsInText(`${k}=${v}`)),
      ...hostsInCommand([...wordsOf(get(service, 'entrypoint')), ...wordsOf(get(service, 'command'))]),
      ...filesOf(service).flatMap(hostsInText),
    ]
    for (const host of hosts) {
      const to = known.get(host) ?? links.get(host) ?? aliases.get(host)
      if (to) edges.push({ from, to, kind: 'calls', inferred: true })
    }
  }
  const off = [...all].filter(([name]) => !on.has(name))
  const notes = off.map(
    ([name, s]) =>
      `${name} is left out: it is started only with --profile ${listOf(get(s, 'profiles')).map(textOf).join(' or ')}`,
  )
  return described([...known.values()], edges, notes)
}
