import { describe, expect, it } from 'vitest'
import { kubernetesOf, whose, whoseSample } from './whose.ts'

describe('whom a resource is', () => {
  it.each([
    [{ 'service.name': 'shop', 'k8s.deployment.name': 'other' }, 'service:shop'],
    [{ 'service.name': 'unknown_service:java', 'k8s.deployment.name': 'shop' }, 'service:shop'],
    [{ 'service.name': '42', 'k8s.daemonset.name': 'agent' }, 'service:agent'],
    [{ 'service.name': '-', 'k8s.statefulset.name': 'stock', 'k8s.pod.name': 'stock-0' }, 'service:stock'],
    [{ 'k8s.job.name': 'nightly-28391040' }, 'service:nightly'],
    [{ 'k8s.replicaset.name': 'cart-7d9f8b6c5' }, 'service:cart'],
    [{ 'k8s.pod.name': 'cart-7d9f8b6c5-x2x4z', 'k8s.container.name': 'app' }, 'service:cart'],
    [{ 'k8s.container.name': 'cart' }, 'service:cart'],
    [{ 'container.name': '/cart', 'container.id': 'f00' }, 'service:cart'],
    [{ 'service.name': 'unknown_service', 'process.executable.path': '/opt/bin/tilld' }, 'service:tilld'],
    [{ 'service.name': 'unknown_service:tilld', 'host.name': 'web1' }, 'service:tilld'],
    [{ 'container.image.name': 'registry.example:5000/team/cart:1.2' }, 'service:cart'],
    [{ 'host.name': 'web1' }, 'host:web1'],
    [{ 'service.name': 'null' }, undefined],
    [{}, undefined],
  ])('%o: %s', (attributes, entity) => expect(whose(attributes as unknown as Record<string, string>)).toBe(entity))
})

describe('whom a sample is about', () => {
  const ksm = { job: 'kube-state-metrics', instance: '10.0.0.9:8080', service: 'kube-state-metrics', pod: 'ksm-5d4f8-x2x4z' }
  it.each([
    ['requests_total', { job: 'shop', instance: 'a:1' }, 'service:shop'],
    ['requests_total', { job: 'kubernetes-pods', service: 'shop' }, 'service:shop'],
    ['requests_total', { job: 'shop/cart' }, 'service:cart'],
    ['kube_deployment_status_replicas_unavailable', { ...ksm, deployment: 'cart' }, 'service:cart'],
    ['kube_pod_status_phase', { ...ksm, exported_pod: 'cart-7d9f8b6c5-x2x4z', phase: 'Failed' }, 'service:cart'],
    [
      'kube_pod_container_status_restarts_total',
      { job: 'kube-state-metrics', pod: 'cart-7d9f8b6c5-x2x4z', container: 'app' },
      'service:cart',
    ],
    ['kube_node_status_condition', { ...ksm, node: 'worker-1' }, 'host:worker-1'],
    ['kube_job_failed', { ...ksm, job_name: 'nightly-28391040' }, 'service:nightly'],
    ['kube_state_metrics_list_total', ksm, 'service:kube-state-metrics'],
    ['up', ksm, 'service:kube-state-metrics'],
    [
      'container_memory_working_set_bytes',
      { job: 'kubelet', pod: 'cart-0', container: 'cart', node: 'worker-1' },
      'service:cart',
    ],
    ['container_memory_working_set_bytes', { job: 'cadvisor', id: '/', instance: 'worker-1:10250' }, 'host:worker-1'],
    ['container_cpu_usage_seconds_total', { job: 'cadvisor', name: 'cart', instance: 'cadvisor:8080' }, 'service:cart'],
    ['node_load1', { job: 'node', instance: '10.0.0.5:9100' }, 'host:10.0.0.5'],
    ['node_load1', { job: 'node-exporter', instance: '10.0.0.5:9100', node: 'worker-1' }, 'host:worker-1'],
    ['probe_success', { job: 'blackbox', instance: 'https://shop.example/health' }, 'service:shop.example'],
    ['probe_success', { job: 'probes', instance: 'http://cart.shop.svc.cluster.local:8080/up' }, 'service:cart'],
    ['batch_last_success_time', { job: 'pushgateway', exported_job: 'backup' }, 'service:backup'],
    ['redis_up', { job: 'redis-exporter', instance: 'redis://redis-cart:6379' }, 'service:redis-cart'],
    ['pg_up', { job: 'postgres-exporter', instance: '10.0.0.7:9187' }, 'service:postgres'],
    ['anything', {}, 'service:unknown'],
  ])('%s of %o: %s', (metric, labels, entity) => expect(whoseSample(metric, labels as Record<string, string>)).toBe(entity))
})

it('reads whose a log is from where its file lies', () => {
  const cart = { 'k8s.namespace.name': 'shop', 'k8s.pod.name': 'cart-0', 'k8s.container.name': 'app' }
  expect(kubernetesOf(undefined, { 'log.file.path': '/var/log/pods/shop_cart-0_1f-2e/app/3.log' })).toEqual(cart)
  expect(kubernetesOf(undefined, { filename: `/var/log/containers/cart-0_shop_app-${'0a'.repeat(32)}.log` })).toEqual(cart)
  expect(kubernetesOf(undefined, { 'log.file.path': '/var/log/syslog' })).toEqual({})
})
