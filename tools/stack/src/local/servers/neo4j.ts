import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { neo4jAnswers } from '../health.ts'
import { java, serverFolder } from '../places.ts'
import { fastJvm, type ServerPlan } from './plan.ts'

export const neo4j: ServerPlan = {
  name: 'neo4j',
  async prepare({ folder, ports, password }) {
    const jars = serverFolder('neo4j')
    const home = join(folder, 'data', 'neo4j')
    const config = join(folder, 'conf', 'neo4j')
    mkdirSync(join(home, 'data', 'dbms'), { recursive: true })
    mkdirSync(config, { recursive: true })
    writeFileSync(join(config, 'neo4j.conf'), settings(home, ports.bolt, ports.http))
    writeFileSync(join(home, 'data', 'dbms', 'auth.ini'), firstPassword(password), { mode: 0o600 })
    const opens = ['java.nio', 'java.io', 'sun.nio.ch', 'java.util.concurrent'].map(
      name => `--add-opens=java.base/${name}=ALL-UNNAMED`,
    )
    return {
      file: java(),
      args: [
        ...[
          '-Xms128m',
          '-Xmx448m',
          ...fastJvm,
          ...opens,
          '--add-exports=java.base/sun.nio.ch=ALL-UNNAMED',
          '--enable-native-access=ALL-UNNAMED',
        ],
        ...[
          '-Dio.netty.tryReflectionSetAccessible=true',
          '-Djdk.tls.rejectClientInitiatedRenegotiation=true',
          '-cp',
          join(jars, '*'),
        ],
        ...['org.neo4j.server.CommunityEntryPoint', `--home-dir=${home}`, `--config-dir=${config}`],
      ],
      cwd: home,
    }
  },
  probe: ({ ports, password }) => neo4jAnswers('127.0.0.1', ports.bolt, ports.http, password),
}

/**
 * What `neo4j-admin dbms set-initial-password` writes, without the two seconds its JVM takes: user, then SHA-256 over salt and
 * password, repeated 1024 times. Neo4j reads it only while it makes its system database; the health probe logs in, so a change
 * of this format cannot pass unseen.
 */
export function firstPassword(password: string, salt: Buffer = randomBytes(32)): string {
  let digest = createHash('sha256').update(salt).update(password).digest()
  for (let round = 1; round < 1024; round++) digest = createHash('sha256').update(digest).digest()
  return `neo4j:SHA-256,${digest.toString('hex')},${salt.toString('hex')},1024:\n`
}

const settings = (home: string, bolt: number, http: number) => `server.directories.data=${home}/data
server.directories.logs=${home}/logs
server.directories.plugins=${home}/plugins
server.directories.import=${home}/import
server.directories.run=${home}/run
server.default_listen_address=127.0.0.1
server.bolt.enabled=true
server.bolt.listen_address=127.0.0.1:${bolt}
server.bolt.advertised_address=127.0.0.1:${bolt}
server.http.enabled=true
server.http.listen_address=127.0.0.1:${http}
server.https.enabled=false
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
server.memory.pagecache.size=64m
db.tx_log.preallocate=false
db.tx_log.rotation.size=16m
`
