/**
 * The hosts that a text calls: of addresses anywhere in it (`jdbc:postgresql://a:5432,b/x`, `user@tcp(db:3306)`, `a:9092,b:9092`), and bare names
 * where one is expected (the whole value of a variable, `host=db`, `nc -z db 5432`). Only candidates: who reads them knows which names exist.
 */

const LABEL = '[a-z0-9](?:[\\w-]*[a-z0-9])?'
const HOST = `${LABEL}(?:\\.${LABEL})*`
const AUTHORITY = /[:@]\/\/(?=([^\s"'<>`/?#;|\\(){}[\]]*))/g
const WITH_PORT = new RegExp(`(?<![\\w./-])(${HOST})\\.?:\\d{2,5}(?![\\w.])`, 'gi')
const CLUSTER_NAME = new RegExp(`(?<![\\w./-])(${HOST}\\.svc(?:\\.${LABEL})*)(?![\\w-])`, 'gi')
const AFTER_KEY = new RegExp(
  `(?:host(?:name)?s?|servers?|addr(?:ess)?(?:es)?|endpoints?|url|uri|upstream|brokers?|data source)["']?(?:\\s*[:=]\\s*|\\s+)[["']*(?:tcp:)?(${HOST})(?=[\\s"',;:\\])/]|$)`,
  'gi',
)
const AFTER_COMMAND = new RegExp(
  `(?:(?:^|[\\s;&|('"])(?:nc|ncat|ping|nslookup|dig|telnet|getent hosts)(?:\\s+-\\S+)*|\\s-h)\\s+(${HOST})(?=[\\s"';)|&]|$)`,
  'gi',
)
/** Addresses that are told, allowed or listened to, but not called. */
const NOT_CALLED = /origin|cors|allow|callback|redirect|public|external_?url|advertised|no_?proxy|listen|server_?name$/i
/** What the last word of a key says of a value that is a bare word: it is a name of another kind than of a host. */
const OTHER_NAMES = new Set(
  `name db database dbname user username login owner password pass secret token schema topic topics queue queues group bucket index mode profile profiles
  env environment role type level key tag tags version prefix suffix namespace realm id table keyspace vhost stream exchange collection label labels app
  application lang language region zone component tier container project path dir file title description note kind class format driver dialect engine
  provider connection store tenant site org organization team scope audience plugin plugins module modules feature features command`.split(
    /\s+/,
  ),
)

const lastWords = (key: string): string[] =>
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .slice(-2)
const isNameOfOther = (key: string): boolean => {
  const words = lastWords(key)
  const last = words.at(-1) ?? ''
  return OTHER_NAMES.has(last) && !(last === 'name' && /^(host|server|service)$/.test(words[0]))
}
const hostOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).replace(/:\d*$/, '')

/** Hosts of addresses in a text of any form: a configuration file, a command, a connection string. */
export const hostsInText = (text: string): string[] =>
  text.split(/\r?\n/).flatMap(line => {
    if (/^\s*(#|\/\/|;|--)(\s|$|[^-])/.test(line) && !/^\s*--\w/.test(line)) return []
    const key = /^\s*(?:-\s+)?(?:set\s+|export\s+)?["']?([\w.-]+)["']?\s*(?:[:=]|\s)/.exec(line)?.[1] ?? ''
    if (NOT_CALLED.test(key)) return []
    const found: string[] = []
    for (const m of line.matchAll(AUTHORITY))
      found.push(
        ...m[1]
          .slice(m[1].lastIndexOf('@') + 1)
          .split(',')
          .map(hostOf),
      )
    for (const pattern of [WITH_PORT, CLUSTER_NAME, AFTER_KEY, AFTER_COMMAND])
      for (const m of line.matchAll(pattern)) found.push(m[1])
    return found.filter(Boolean)
  })

const WHOLE = new RegExp(`^${HOST}\\.?(?::\\d+)?$`, 'i')
/** Hosts in the value of a variable or flag of that name: also names that stand alone, one or a list. */
export const hostsInValue = (key: string, value: string): string[] => {
  if (NOT_CALLED.test(key)) return []
  const found = hostsInText(value)
  const parts = value.trim().split(/\s*[,;]\s*/)
  if (!isNameOfOther(key) && parts.every(p => WHOLE.test(p) || p === ''))
    found.push(...parts.filter(Boolean).map(p => hostOf(p).replace(/\.$/, '')))
  return [...new Set(found)]
}
/** Hosts in a command and its arguments, given as a list or as a line. */
export const hostsInCommand = (words: readonly string[]): string[] => {
  const flags = words.flatMap(word => {
    const flag = /^--?([\w.-]+)=(.*)$/s.exec(word)
    return flag ? hostsInValue(flag[1], flag[2]) : []
  })
  const pairs = words.flatMap((word, i) =>
    /^--?[\w.-]+$/.test(word) && /host|addr|server|url|uri|endpoint|broker|upstream/i.test(word)
      ? hostsInValue(word, words[i + 1] ?? '')
      : [],
  )
  return [...new Set([...flags, ...pairs, ...hostsInText(words.join(' '))])]
}

/** Fills in `${NAME}`, `${NAME:default}`, `${NAME:-default}`, `$(NAME)` and `$NAME`; what is not known stays as it stands. */
export const filledIn = (text: string, of: (name: string) => string | undefined): string =>
  text.replace(/\$\{(\w+)(?::?-?([^{}]*))?\}|\$\((\w+)\)|\$(\w+)/g, (all, braced, otherwise, round, bare) => {
    const name = braced ?? round ?? bare
    return of(name) ?? (otherwise === undefined || otherwise === '' ? all : otherwise)
  })
