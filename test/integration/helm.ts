/** Helm on a chart, with and without a cluster. */
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { loadAllYaml } from '@kubernetes/client-node'

const run = promisify(execFile)
export const CHART = path.resolve(import.meta.dirname, '../../deploy/helm/aegis')
/** What `helm template` without a cluster takes as its version. */
const KUBERNETES = ['--kube-version', '1.34.0']

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Record<string, string>
    readonly annotations?: Record<string, string>
  }
  readonly [more: string]: any
}

export interface Helm {
  readonly scratch: string
  (...args: string[]): Promise<string>
  /** A file with these values, for -f. */
  values(values: object): string
  template(values: object, release?: string, namespace?: string): Promise<Manifest[]>
}

/**
 * @param home folder of tools/setup/go-tools.mjs
 * @param kubeconfig text of a configuration, for what needs a cluster
 */
export const helmOf = (home: string, kubeconfig = ''): Helm => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'aegis-helm-'))
  const at = (name: string) => path.join(scratch, name)
  const env = {
    PATH: process.env.PATH,
    HOME: scratch,
    HELM_CACHE_HOME: at('cache'),
    HELM_CONFIG_HOME: at('config'),
    HELM_DATA_HOME: at('data'),
    KUBECONFIG: at('kubeconfig'),
  }
  writeFileSync(at('kubeconfig'), kubeconfig, { mode: 0o600 })
  let files = 0
  const helm = async (...args: string[]): Promise<string> => {
    try {
      return (await run(path.join(home, 'bin/helm'), args, { env, maxBuffer: 64 << 20 })).stdout
    } catch (error) {
      const { stderr, stdout } = error as { stderr: string; stdout: string }
      throw new Error(`helm ${args[0]}: ${stderr || stdout}`)
    }
  }
  const values = (content: object): string => {
    const file = at(`values-${++files}.json`)
    writeFileSync(file, JSON.stringify(content))
    return file
  }
  return Object.assign(helm, {
    scratch,
    values,
    template: async (content: object, release = 'aegis', namespace = 'aegis') =>
      loadAllYaml(await helm('template', release, CHART, ...KUBERNETES, '--namespace', namespace, '-f', values(content))).filter(
        Boolean,
      ) as Manifest[],
  })
}
