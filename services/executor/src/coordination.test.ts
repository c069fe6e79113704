import { coordinationContract } from './coordination.contract.ts'
import { MemoryCoordination } from './coordination.ts'

coordinationContract('memory', () => new MemoryCoordination(() => performance.now()))
