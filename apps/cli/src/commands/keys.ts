/** `aegis keys`: who may do what at the gateway. */
import { type ApiKey, makeKey, readKeys, SCOPES, type Scope, writeKeys } from '@aegis/authority'
import { AegisError } from '@aegis/domain'
import { keysFile } from '@aegis/stack/own-keys'
import { Command } from 'commander'

const DAY_US = 86_400_000_000
const now = (): number => Date.now() * 1000
const list = (text: string): string[] =>
  text
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')
const scopesIn = (text: string): Scope[] => {
  const unknown = list(text).find(word => !SCOPES.includes(word as Scope))
  if (unknown !== undefined) throw new AegisError('INPUT_INVALID', `there is no scope ${unknown}: ${SCOPES.join(', ')}`)
  return list(text) as Scope[]
}
const expiry = (days: string): number | null => {
  const n = Number(days)
  if (!(n >= 0)) throw new AegisError('INPUT_INVALID', `--days takes a number, not ${days}`)
  return n === 0 ? null : now() + n * DAY_US
}
const named = (keys: readonly ApiKey[], name: string): ApiKey => {
  const key = keys.find(k => k.name === name)
  if (!key)
    throw new AegisError('INPUT_INVALID', `no key is called ${name}: there are ${keys.map(k => k.name).join(', ') || 'none'}`)
  return key
}
const day = (us: number): string => new Date(us / 1000).toISOString().slice(0, 10)

export const shownKeys = (keys: readonly ApiKey[], at: number): string[] =>
  keys.map(
    k =>
      `${k.name.padEnd(20)} ${k.scopes.join(',').padEnd(30)} ${k.environments.join(',').padEnd(16)} since ${day(k.made)}${k.expires === null ? '' : k.expires <= at ? `, expired ${day(k.expires)}` : `, until ${day(k.expires)}`}`,
  )

export const keysCommand = (): Command => {
  const command = new Command('keys').addHelpText(
    'after',
    '\nKept hashed in the file that AEGIS_KEYS_FILE names, default .aegis/keys.json; a gateway that runs reads it again by itself.',
  )
  command
    .command('add <name>')
    .requiredOption('--scopes <list>', SCOPES.join(', '))
    .option('--environments <list>', 'environments it is bound to', '*')
    .option('--days <n>', 'days until it expires; 0: never', '90')
    .action((name: string, o: { scopes: string; environments: string; days: string }) => {
      const keys = readKeys(keysFile())
      if (keys.some(k => k.name === name))
        throw new AegisError(
          'INPUT_INVALID',
          `a key is called ${name} already; "aegis keys rotate ${name}" gives it a new secret`,
        )
      const { secret, key } = makeKey(
        { name, scopes: scopesIn(o.scopes), environments: list(o.environments) },
        now(),
        expiry(o.days),
      )
      writeKeys(keysFile(), [...keys, key])
      console.log(`${secret}\nThis is told once. Use it as: authorization: Bearer KEY, or AEGIS_API_TOKEN=KEY aegis …`)
    })
  command.command('list').action(() => {
    const keys = readKeys(keysFile())
    console.log(keys.length === 0 ? `no keys in ${keysFile()}` : shownKeys(keys, now()).join('\n'))
  })
  command
    .command('rotate <name>')
    .option('--days <n>', 'days until it expires; 0: never', '90')
    .action((name: string, o: { days: string }) => {
      const keys = readKeys(keysFile())
      const { secret, key } = makeKey(named(keys, name), now(), expiry(o.days))
      writeKeys(
        keysFile(),
        keys.map(k => (k.name === name ? key : k)),
      )
      console.log(`${secret}\nThe old secret of ${name} is worth nothing from now on.`)
    })
  command.command('revoke <name>').action((name: string) => {
    const keys = readKeys(keysFile())
    named(keys, name)
    writeKeys(
      keysFile(),
      keys.filter(k => k.name !== name),
    )
    console.log(`${name} is no longer let in`)
  })
  return command
}
