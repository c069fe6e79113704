import { describe } from 'vitest'
import { PlainTopology } from './plain-topology.ts'
import { topologyContract } from './topology.contract.ts'

describe('PlainTopology', () => topologyContract(() => new PlainTopology()))
