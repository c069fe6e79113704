import { expect, it } from 'vitest'
import { Exporters } from './exporters.ts'

const of = (name: string, job: string) => ({ name, labels: { job, instance: 'h:1' }, value: 1, time: 1 })
it('tells an exporter from what it measures', () => {
  const exporters = new Exporters()
  exporters.see(of('mysqld_exporter_build_info', 'orders-db'))
  exporters.see(of('go_info', 'orders'))
  expect(exporters.asItself(of('process_cpu_seconds_total', 'orders-db')).labels.job).toBe('orders-db-exporter')
  expect(exporters.asItself(of('mysql_up', 'orders-db')).labels.job).toBe('orders-db')
  expect(exporters.asItself(of('process_cpu_seconds_total', 'orders')).labels.job).toBe('orders')
})
