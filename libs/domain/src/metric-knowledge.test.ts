import { expect, test } from 'vitest'
import { addMetricKnowledge, metricKnowledge, readMetricKnowledge } from './metric-knowledge.ts'

test.each([
  ['pg_up', 'availability', undefined],
  ['probe_success{target=x}', 'availability', undefined],
  ['up', 'availability', undefined],
  ['pg_stat_activity_count{datname=a,state=active}', 'saturation', 'pool'],
  ['pg_stat_activity_count{datname=a,state=idle}', 'none', undefined],
  ['haproxy_backend_http_responses_total{code=5xx,proxy=a}', 'errors', undefined],
  ['haproxy_backend_http_responses_total{code=4xx,proxy=a}', 'traffic', undefined],
  ['node_cpu_seconds_total{cpu=0,mode=user}', 'saturation', 'cpu'],
  ['jobs_created', 'none', undefined],
  ['go_gc_duration_seconds', 'none', undefined],
  ['redis_connected_clients', 'saturation', 'pool'],
])('%s is %s of %s', (metric, role, of) => {
  expect(metricKnowledge(metric)).toEqual({ role, ...(of && { of }) })
})
test('nothing is said of what is not known', () => {
  expect(metricKnowledge('orders.total{shop=a}')).toBeUndefined()
})
test("people's own lines come first, and a bad line is named", () => {
  addMetricKnowledge('my_pool_used  saturation pool # of our own')
  expect(metricKnowledge('my_pool_used')).toEqual({ role: 'saturation', of: 'pool' })
  expect(() => readMetricKnowledge('a none\nb wrong')).toThrow('line 2: "wrong" is no role')
})
