import { createServer } from 'node:net'

export type PortName = 'kafka' | 'controller' | 'registry' | 'bolt' | 'http' | 'redis'
export type Ports = Record<PortName, number>

/** Away from the servers' own defaults, so that an unrelated Kafka or Redis on the machine is never mistaken for ours. */
export const defaultPorts: Ports = { kafka: 19092, controller: 19093, registry: 18081, bolt: 17687, http: 17474, redis: 16379 }

export interface MovedPort {
  readonly name: PortName
  readonly wanted: number
  readonly given: number
}

/** True when this process can listen there now. */
export const isFree = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise(done => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => done(true)))
  })

/** A port the operating system picks. */
export const anyFree = (): Promise<number> =>
  new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** Gives each name its wanted port, or the next free one in steps of ten (so that two stacks side by side stay readable). */
export async function pickPorts(
  wanted: Ports,
  free: (port: number) => Promise<boolean> = isFree,
): Promise<{ ports: Ports; moved: MovedPort[] }> {
  const ports = { ...wanted }
  const moved: MovedPort[] = []
  const given = new Set<number>()
  for (const name of Object.keys(wanted) as PortName[]) {
    let port = wanted[name]
    for (let step = 0; given.has(port) || port > 65535 || !(await free(port)); step++)
      port = step < 20 ? port + 10 : await anyFree()
    given.add(port)
    ports[name] = port
    if (port !== wanted[name]) moved.push({ name, wanted: wanted[name], given: port })
  }
  return { ports, moved }
}
