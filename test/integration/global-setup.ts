import path from 'node:path'
import { reset, up } from '@aegis/stack/local/stack'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    stackEnv: Readonly<Record<string, string>>
  }
}

/** One stack for all integration tests: the one the environment names, containers where AEGIS_TEST_BY=testcontainers asks for them, else private processes that end with the tests. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const named = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'NEO4J_URI', 'NEO4J_USER', 'NEO4J_PASSWORD', 'REDIS_URL']
  if (named.every(name => process.env[name])) {
    provide('stackEnv', Object.fromEntries(named.map(name => [name, String(process.env[name])])))
    return async () => undefined
  }
  if (process.env.AEGIS_TEST_BY === 'testcontainers') {
    const { upByTestcontainers } = await import('./by-testcontainers.ts')
    const { env, stop } = await upByTestcontainers()
    await answering(env)
    provide('stackEnv', env)
    return stop
  }
  const folder = path.resolve(import.meta.dirname, '../../.aegis/test-stack')
  // What earlier runs put in would be read again by every test that begins at the start of a stream.
  await reset({ folder })
  const stack = await up({ attached: true, folder, say: line => console.log(`[stack] ${line}`) })
  provide('stackEnv', stack.env)
  return () => stack.stop()
}

/** A port that listens is not yet a server that answers. */
const answering = async (env: Readonly<Record<string, string>>): Promise<void> => {
  const neo4j = (await import('neo4j-driver')).default
  const asked: Record<string, () => Promise<boolean>> = {
    registry: async () => (await fetch(`${env.SCHEMA_REGISTRY_URL}/subjects`)).ok,
    neo4j: async () => {
      const driver = neo4j.driver(env.NEO4J_URI, neo4j.auth.basic(env.NEO4J_USER, env.NEO4J_PASSWORD))
      return driver
        .getServerInfo()
        .then(() => true)
        .finally(() => driver.close())
    },
  }
  for (const [name, ask] of Object.entries(asked)) {
    const until = performance.now() + 120_000
    while (!(await ask().catch(() => false))) {
      if (performance.now() > until) throw new Error(`${name} does not answer within two minutes`)
      await new Promise(resolve => setTimeout(resolve, 300))
    }
  }
}
