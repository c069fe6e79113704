import { KafkaBroker } from '@aegis/runtime'
import { brokerContract } from '@aegis/runtime/broker.contract'
import { stackEnv } from './stack-env.ts'

brokerContract('kafka', async () => new KafkaBroker({ brokers: stackEnv().KAFKA_BROKERS.split(','), clientId: 'contract' }))
