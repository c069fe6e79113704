/** The supervisor's process. Ends, with every service, when told to or when the process that started it is gone. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Supervisor } from './supervisor.ts'

const { port = 0, ...settings } = JSON.parse(process.env.SHOP_SUPERVISOR ?? '{}')
const supervisor = new Supervisor({ ...settings, drillToken: randomBytes(24).toString('hex') })

let ending = false
const end = () => {
  if (ending) return
  ending = true
  void supervisor.stop().then(() => process.exit(0))
}
process.on('SIGTERM', end)
process.on('SIGINT', end)
process.on('disconnect', end)

try {
  const server = supervisor.createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  await supervisor.start()
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
} catch (error) {
  if (process.connected) process.send?.({ error: (error as Error).message })
  await supervisor.stop()
  process.exit(1)
}
