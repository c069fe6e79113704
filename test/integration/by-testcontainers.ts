import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { defaultPorts, pickPorts } from '@aegis/stack/local/ports'
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from 'testcontainers'

const root = path.resolve(import.meta.dirname, '../..')

/**
 * The servers of docker-compose.yml through testcontainers, for machines with a container engine. AEGIS_COMPOSE_FILE names another file, such
 * as the one without health checks that `deploy/standins` makes for engines that cannot run them.
 */
export const upByTestcontainers = async (): Promise<{ env: Record<string, string>; stop: () => Promise<void> }> => {
  const { ports } = await pickPorts(defaultPorts)
  const password = 'integration-tests-only'
  const file = path.resolve(root, process.env.AEGIS_COMPOSE_FILE ?? 'docker-compose.yml')
  // The compose program of its own where the engine's client lacks the plug-in.
  const standalone = spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status !== 0
  const environment: StartedDockerComposeEnvironment = await new DockerComposeEnvironment(path.dirname(file), path.basename(file))
    .withEnvironment({
      NEO4J_PASSWORD: password,
      REDIS_PASSWORD: password,
      KAFKA_PORT: String(ports.kafka),
      REGISTRY_PORT: String(ports.registry),
      NEO4J_BOLT_PORT: String(ports.bolt),
      NEO4J_HTTP_PORT: String(ports.http),
      REDIS_PORT: String(ports.redis),
    })
    .withClientOptions(standalone ? { executable: { executablePath: 'docker-compose', standalone: true } } : {})
    .withDefaultWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(180_000)
    .up(['kafka', 'registry', 'neo4j', 'redis'])
  return {
    env: {
      KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
      SCHEMA_REGISTRY_URL: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
      NEO4J_URI: `bolt://127.0.0.1:${ports.bolt}`,
      NEO4J_USER: 'neo4j',
      NEO4J_PASSWORD: password,
      REDIS_URL: `redis://:${password}@127.0.0.1:${ports.redis}`,
    },
    stop: async () => void (await environment.down({ removeVolumes: true })),
  }
}
