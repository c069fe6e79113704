import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import shipped from '../models/failure-forest.json' with { type: 'json' }
import { detectFailure } from './detect-failure.ts'
import { describeWindow, FAILURE_FEATURES } from './failure-features.ts'
import { forestModel, type SavedFailureModel } from './failure-model.ts'
import { FAILURE_NAMES } from './failure-types.ts'
import { shippedFailureModel } from './shipped-failure-model.ts'

const WINDOW_US = 300e6
const line = (level: string, message: string, service = 'cart', time = 0) => ({ level, message, service, time })
const several = (message: string, n = 4) => Array.from({ length: n }, (_, i) => line('ERROR', message, 'cart', i * 1e6))
const quiet = Array.from({ length: 10 }, (_, i) => line('INFO', `served GET /items in ${10 + i} ms`, 'web', i * 1e6))
const ask = (logs: readonly ReturnType<typeof line>[], metrics: Parameters<typeof detectFailure>[0] = []) =>
  detectFailure(metrics, logs, undefined, WINDOW_US)

describe('detectFailure', () => {
  it.each([
    ['service_down', 'liveness probe failed: container cart is not running'],
    ['high_latency', 'slow query took 4200 ms, latency above the limit'],
    ['memory_leak', 'heap usage is growing: possible memory leak'],
    ['timeout', 'request to billing timed out after 5000 ms'],
    ['connection_timeout', 'connect ETIMEDOUT 10.0.3.4:5432'],
    ['resource_exhaustion', 'too many open files: descriptor limit reached'],
    ['network_connectivity', 'getaddrinfo ENOTFOUND billing.internal'],
    ['storage_issues', 'write failed: No space left on device'],
    ['service_unavailability', '503 Service Unavailable: no healthy upstream'],
    ['dependency_conflicts', 'npm ERR! ERESOLVE could not resolve peer dependency'],
    ['configuration_errors', 'missing environment variable DATABASE_URL'],
    ['runtime_exceptions', "TypeError: Cannot read properties of undefined (reading 'id')"],
    ['memory_leaks', 'LEAK: ByteBuf.release() was not called, resource leak detected'],
    ['flaky_tests', 'test checkout is flaky: passed on retry 2'],
    ['test_environment_issues', 'testcontainers: could not start the test database container'],
    ['timing_dependencies', 'WARNING: DATA RACE detected in goroutine 7'],
    ['external_service_failures', 'third-party api provider returned an error: outage'],
    ['vulnerability_blocking', 'build blocked: CVE-2024-12345 with critical severity'],
    ['certificate_expiration', 'x509: certificate has expired or is not yet valid'],
    ['access_control_failures', 'user is forbidden: cannot list resource pods'],
    ['compliance_violations', 'admission webhook denied the request: policy violation, not compliant'],
  ])('names %s by its lines', (type, message) => {
    const answer = ask([...quiet, ...several(message)])
    expect(answer).toMatchObject({ failure_detected: true, failure_type: type, affected_services: ['cart'] })
    expect(answer.root_cause).toContain(message.slice(0, 40))
    expect(answer.recommended_actions.length).toBeGreaterThan(0)
  })
  it('finds nothing where nothing failed', () => {
    expect(ask(quiet)).toMatchObject({ failure_detected: false, failure_type: null, recommended_actions: [], severity: 'low' })
    expect(ask([])).toMatchObject({ failure_detected: false, root_cause: 'nothing was handed over' })
    expect(ask([...quiet, line('INFO', 'reconnected after timeout')])).toMatchObject({ failure_detected: false })
  })
  it('goes by the numbers where no line speaks', () => {
    const points = (metric_type: string, values: readonly number[]) =>
      values.map((value, i) => ({ metric_type, value, time: i * 1e6 }))
    expect(ask(quiet, points('up', [1, 1, 0]))).toMatchObject({ failure_type: 'service_down' })
    expect(ask(quiet, points('latency_ms', [80, 90, 4000]))).toMatchObject({ failure_type: 'high_latency' })
    expect(ask(quiet, points('memory_usage', [40, 44, 49, 53, 58, 61, 65, 70, 74]))).toMatchObject({
      failure_type: 'memory_leak',
    })
    expect(ask(quiet, points('cpu_usage', [97, 99, 98]))).toMatchObject({ failure_type: 'resource_exhaustion' })
    expect(ask(quiet, points('disk_usage', [99]))).toMatchObject({ failure_type: 'storage_issues' })
    expect(ask(quiet, points('cpu_pct', [0.9, 1.2, 1.1]))).toMatchObject({ failure_detected: false })
    expect(ask(quiet, points('cpu', [0.9, 0.97]))).toMatchObject({ failure_detected: false })
    expect(ask(quiet, points('system.cpu.utilization', [0.97, 0.99]))).toMatchObject({ failure_type: 'resource_exhaustion' })
    expect(ask(quiet, points('cpu_usage', [40, 45, 42]))).toMatchObject({ failure_detected: false })
  })
  it('leaves out what is older than the window', () => {
    const old = several('connect ECONNREFUSED 10.0.0.1:80')
    expect(ask([...old, line('INFO', 'well', 'web', 1000e6)])).toMatchObject({ failure_detected: false })
  })
  it('counts worse where many services fail', () => {
    const logs = ['a', 'b', 'c'].flatMap(s => several('request timed out').map(l => ({ ...l, service: s })))
    expect(ask(logs)).toMatchObject({ failure_type: 'timeout', severity: 'critical', affected_services: ['a', 'b', 'c'] })
  })
  it('follows the model where it is sure, the rules where not', () => {
    const model = (probability: number) => ({
      name: 'm',
      version: '1',
      figures: {},
      trainedOn: 'nothing',
      predict: () => [{ type: 'flaky_tests' as const, probability }],
    })
    const logs = several('request timed out')
    expect(detectFailure([], logs, model(0.9), WINDOW_US)).toMatchObject({
      failure_type: 'flaky_tests',
      details: { heuristic: false, model: 'm' },
    })
    expect(detectFailure([], logs, model(0.3), WINDOW_US)).toMatchObject({
      failure_type: 'timeout',
      details: { heuristic: true },
    })
  })
  it('ships a model that is what its digest says, and refuses one that is not', () => {
    const model = shippedFailureModel()
    expect(model.trainedOn).toContain('no window of a real system')
    const logs = [...quiet, ...several('write failed: No space left on device', 6)]
    expect(detectFailure([], logs, model, WINDOW_US)).toMatchObject({
      failure_type: 'storage_issues',
      details: { heuristic: false, model: 'failure-forest' },
    })
    expect(ask(quiet)).toMatchObject({ failure_detected: false })
    expect(() => forestModel({ ...(shipped as SavedFailureModel), classes: ['none'] })).toThrow(/digest/)
  })
  it('answers in bounds whatever comes, with as many features as it names', () => {
    const logs = fc.array(fc.record({ level: fc.string(), message: fc.string(), service: fc.string(), time: fc.integer() }))
    const metrics = fc.array(
      fc.record({ metric_type: fc.string(), value: fc.double({ noNaN: true, noDefaultInfinity: true }), time: fc.integer() }),
    )
    fc.assert(
      fc.property(metrics, logs, (m, l) => {
        const { features } = describeWindow(m, l)
        const { confidence } = detectFailure(m, l, undefined, WINDOW_US)
        return (
          features.length === FAILURE_FEATURES.length && features.every(Number.isFinite) && confidence >= 0 && confidence <= 1
        )
      }),
    )
    expect(FAILURE_NAMES.length).toBe(21)
  })
})
