import { brokerContract } from './broker.contract.ts'
import { MemoryBroker } from './memory-broker.ts'

brokerContract('memory', async () => new MemoryBroker())
