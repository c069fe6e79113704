/** Serves the console on made-up records, for looking at it: `node apps/console/test/serve.ts [port]`. */
import { createServer, request } from 'node:http'
import { TestApi } from '@aegis/api-service/testing'
import { seed } from './seed.ts'

const api = await new TestApi().start()
await seed(api)
const target = new URL(api.base)
const server = createServer((incoming, outgoing) => {
  const passed = request(
    { host: target.hostname, port: target.port, method: incoming.method, path: incoming.url, headers: incoming.headers },
    answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    },
  )
  incoming.pipe(passed)
  outgoing.on('close', () => passed.destroy())
  passed.on('error', () => outgoing.destroy())
})
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as { port: number }).port}`),
)
