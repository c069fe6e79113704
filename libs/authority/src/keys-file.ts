import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { FatalError } from '@aegis/domain'
import type { ApiKey } from './api-keys.ts'

/** Written beside and renamed, readable by its owner only: a reader never sees half of it, nor anybody else any of it. */
export const writePrivately = (file: string, text: string): void => {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const beside = `${file}.${process.pid}`
  writeFileSync(beside, text, { mode: 0o600 })
  chmodSync(beside, 0o600)
  renameSync(beside, file)
}

/** The keys of a file; none where there is no file. Throws CONFIG_INVALID for a file that is no list of keys. */
export const readKeys = (file: string): readonly ApiKey[] => {
  if (!existsSync(file)) return []
  try {
    const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys: ApiKey[] }
    if (!Array.isArray(keys) || keys.some(k => typeof k.hash !== 'string' || !Array.isArray(k.scopes)))
      throw new Error('no list of keys')
    return keys
  } catch (error) {
    throw new FatalError('CONFIG_INVALID', `${file} holds no API keys (${(error as Error).message}); "aegis keys add" writes it`)
  }
}
export const writeKeys = (file: string, keys: readonly ApiKey[]): void =>
  writePrivately(file, `${JSON.stringify({ keys }, null, 2)}\n`)

/** Keys of a file that others change while we run: read again when the file has another time or size. */
export class KeysFile {
  readonly #file: string
  #stamp = ''
  #keys: readonly ApiKey[] = []
  constructor(file: string) {
    this.#file = file
    this.keys()
  }
  keys(): readonly ApiKey[] {
    const stat = existsSync(this.#file) ? statSync(this.#file) : undefined
    const stamp = stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : ''
    if (stamp !== this.#stamp) {
      this.#keys = readKeys(this.#file)
      this.#stamp = stamp
    }
    return this.#keys
  }
}
