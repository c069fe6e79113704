import { loopContract } from './loop.contract.ts'
import { MemoryBroker } from './memory-broker.ts'
import { MemoryRegistry } from './registry.ts'

loopContract(
  'memory',
  async () => new MemoryBroker(),
  () => new MemoryRegistry(),
)
