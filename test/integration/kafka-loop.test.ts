import { ConfluentRegistry, KafkaBroker } from '@aegis/runtime'
import { loopContract } from '@aegis/runtime/loop.contract'
import { stackEnv } from './stack-env.ts'

loopContract(
  'kafka and registry',
  async () => new KafkaBroker({ brokers: stackEnv().KAFKA_BROKERS.split(','), clientId: 'contract' }),
  () => new ConfluentRegistry(stackEnv().SCHEMA_REGISTRY_URL),
)
