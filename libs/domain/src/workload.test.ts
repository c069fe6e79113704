import { expect, it } from 'vitest'
import { workloadOf } from './workload.ts'

it.each([
  ['cart-7d9f8b6c5-x2x4z', 'cart'],
  ['order-service-6c8-xyz', 'order-service'],
  ['pay-5f6d7-fghij', 'pay'],
  ['fluent-bit-q8xwz', 'fluent-bit'],
  ['kafka-broker-12', 'kafka-broker'],
  ['nightly-28391040-x2x4z', 'nightly'],
  ['my-cool-proxy', 'my-cool-proxy'],
  ['shop-front-end', 'shop-front-end'],
  ['redis', 'redis'],
])('%s belongs to %s', (pod, workload) => expect(workloadOf(pod)).toBe(workload))
