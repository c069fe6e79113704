/** What any service reports about its own process, pools and data directory, by OpenTelemetry's names where it has one. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { metrics } from '@opentelemetry/api'
import type { Pool } from './pool.ts'

export function observeProcess(service: string) {
  const meter = metrics.getMeter(service)
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  let cpu = process.cpuUsage()
  let at = performance.now()
  let loop = performance.eventLoopUtilization()
  const cpuUse = meter.createObservableGauge('process.cpu.utilization', { unit: '1' })
  const cpuTime = meter.createObservableCounter('process.cpu.time', { unit: 's' })
  const memory = meter.createObservableGauge('process.memory.usage', { unit: 'By' })
  const heap = meter.createObservableGauge('v8js.memory.heap.used', { unit: 'By' })
  const heapLimit = meter.createObservableGauge('v8js.memory.heap.limit', { unit: 'By' })
  const lag = meter.createObservableGauge('nodejs.eventloop.delay.p99', { unit: 's' })
  const utilization = meter.createObservableGauge('nodejs.eventloop.utilization', { unit: '1' })
  const uptime = meter.createObservableGauge('process.uptime', { unit: 's' })
  const all = [cpuUse, cpuTime, memory, heap, heapLimit, lag, utilization, uptime]
  meter.addBatchObservableCallback(result => {
    const now = performance.now()
    const used = process.cpuUsage(cpu)
    const total = process.cpuUsage()
    const heapNow = getHeapStatistics()
    result.observe(cpuUse, (used.user + used.system) / 1000 / Math.max(1, now - at))
    result.observe(cpuTime, (total.user + total.system) / 1e6)
    result.observe(memory, process.memoryUsage.rss())
    result.observe(heap, heapNow.used_heap_size)
    result.observe(heapLimit, heapNow.heap_size_limit)
    result.observe(lag, Math.max(0, delay.percentile(99) / 1e9 - 0.02))
    result.observe(utilization, performance.eventLoopUtilization(loop).utilization)
    result.observe(uptime, process.uptime())
    cpu = process.cpuUsage()
    at = now
    loop = performance.eventLoopUtilization()
    delay.reset()
  }, all)
}

/** `prefix` is `db.client.connections` for a connection pool. */
export function observePool(service: string, prefix: string, pool: Pool) {
  const meter = metrics.getMeter(service)
  const usage = meter.createObservableGauge(`${prefix}.usage`)
  const max = meter.createObservableGauge(`${prefix}.max`)
  const pending = meter.createObservableGauge(`${prefix}.pending_requests`)
  const labels = { 'pool.name': pool.name }
  meter.addBatchObservableCallback(
    result => {
      result.observe(usage, pool.used, { ...labels, state: 'used' })
      result.observe(usage, Math.max(0, pool.limit - pool.used), { ...labels, state: 'idle' })
      result.observe(max, pool.limit, labels)
      result.observe(pending, pool.waiting, labels)
    },
    [usage, max, pending],
  )
}

export async function directoryBytes(directory: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (!entry.isFile()) continue
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      found => found.size,
      () => 0, // removed meanwhile
    )
  }
  return bytes
}

/** A data directory with a quota. Measured four times a second; `used` is the last measurement. */
export class Disk {
  readonly directory: string
  readonly quotaBytes: number
  used = 0

  constructor(service: string, directory: string, quotaBytes: number) {
    this.directory = directory
    this.quotaBytes = quotaBytes
    setInterval(() => void this.measure(), 250).unref()
    const meter = metrics.getMeter(service)
    const usage = meter.createObservableGauge('system.filesystem.usage', { unit: 'By' })
    const utilization = meter.createObservableGauge('system.filesystem.utilization', { unit: '1' })
    const limit = meter.createObservableGauge('system.filesystem.limit', { unit: 'By' })
    const labels = { 'system.filesystem.mountpoint': '/data' }
    meter.addBatchObservableCallback(
      result => {
        result.observe(usage, this.used, { ...labels, 'system.filesystem.state': 'used' })
        result.observe(usage, Math.max(0, quotaBytes - this.used), { ...labels, 'system.filesystem.state': 'free' })
        result.observe(utilization, this.used / quotaBytes, labels)
        result.observe(limit, quotaBytes, labels)
      },
      [usage, utilization, limit],
    )
  }

  async measure() {
    this.used = await directoryBytes(this.directory)
  }

  get full(): boolean {
    return this.used >= this.quotaBytes
  }
}
