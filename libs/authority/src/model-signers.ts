/** Who may make models that decide what is strange, and how a service knows their hand. */

import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { privateKeyIn, publicKeyIn } from './seal.ts'

/** `cli` is the person at the command line, who brings models in. */
export const MODEL_SIGNERS = ['anomaly-detector', 'cli'] as const

export interface ModelAuthority {
  readonly signer: { readonly key: KeyObject; readonly signer: string }
  /** Public keys of those who may sign models; read anew each time, since one may have been made since. */
  readonly keys: { get(signer: string): KeyObject | undefined }
}
/** @param folder holds `<service>.key`, made where there is none, and `<service>.key.pub` of the others */
export const modelAuthority = (folder: string, service: (typeof MODEL_SIGNERS)[number]): ModelAuthority => ({
  signer: { key: privateKeyIn(path.join(folder, `${service}.key`)), signer: service },
  keys: {
    get: signer => {
      const file = path.join(folder, `${signer}.key.pub`)
      return (MODEL_SIGNERS as readonly string[]).includes(signer) && existsSync(file) ? publicKeyIn(file) : undefined
    },
  },
})
