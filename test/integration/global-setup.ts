import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { up } from '../../services/cli/src/stack/stack.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    stackEnv: Readonly<Record<string, string>>
  }
}

/** One stack for all integration tests: the one the environment names, else a private one that ends with the tests. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const named = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'NEO4J_URI', 'NEO4J_USER', 'NEO4J_PASSWORD', 'REDIS_URL']
  if (named.every(name => process.env[name])) {
    provide('stackEnv', Object.fromEntries(named.map(name => [name, String(process.env[name])])))
    return async () => undefined
  }
  const folder = path.resolve(import.meta.dirname, '../../.aegis/test-stack')
  const stack = await up({ attached: true, folder, say: line => console.log(`[stack] ${line}`) })
  provide('stackEnv', stack.env)
  return () => stack.stop()
}
