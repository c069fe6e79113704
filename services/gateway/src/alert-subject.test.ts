import { describe, expect, it } from 'vitest'
import { subjectOf, workloadOfPod } from './alert-subject.ts'

/** Labels that a scrape of kube-state-metrics by the Prometheus operator puts on everything. */
const ksm = {
  job: 'kube-state-metrics',
  service: 'mon-kube-state-metrics',
  pod: 'mon-kube-state-metrics-5d9c7b6f4-q2w8z',
  container: 'kube-state-metrics',
  namespace: 'mon',
  instance: '10.1.2.3:8080',
  endpoint: 'http',
}
const honoured = {
  job: 'kube-state-metrics',
  service: 'mon-kube-state-metrics',
  instance: '10.1.2.3:8080',
  namespace: 'bank',
  endpoint: 'http',
}
const cadvisor = {
  job: 'kubelet',
  service: 'mon-kubelet',
  metrics_path: '/metrics/cadvisor',
  instance: '10.0.0.9:10250',
  node: 'w-1',
  namespace: 'bank',
}

describe('whom an alert is about', () => {
  it.each([
    ['KubePodCrashLooping', { ...honoured, pod: 'till-6c9d8f7b5-x2k4v', container: 'main' }, 'service:till'],
    [
      'KubePodCrashLooping',
      { ...ksm, exported_pod: 'till-6c9d8f7b5-x2k4v', exported_namespace: 'bank', exported_container: 'main' },
      'service:till',
    ],
    ['KubePodNotReady', { ...honoured, pod: 'till-db-0' }, 'pod:till-db-0'],
    ['KubeDeploymentReplicasMismatch', { ...ksm, deployment: 'till', exported_namespace: 'bank' }, 'service:till'],
    ['KubeStatefulSetReplicasMismatch', { ...honoured, statefulset: 'till-db' }, 'database:till-db'],
    ['KubeDaemonSetNotScheduled', { ...honoured, daemonset: 'collector' }, 'service:collector'],
    ['KubeJobFailed', { ...honoured, job_name: 'bill-29012345' }, 'service:bill'],
    ['KubeHpaMaxedOut', { ...honoured, horizontalpodautoscaler: 'till' }, 'service:till'],
    ['KubeContainerWaiting', { ...honoured, container: 'till' }, 'service:till'],
    ['KubeNodeNotReady', { ...ksm, node: 'w-1' }, 'host:w-1'],
    ['KubeNodeNotReady', { ...honoured, node: 'w-1', pod: 'agent-x' }, 'host:w-1'],
    ['KubePersistentVolumeFillingUp', { ...cadvisor, persistentvolumeclaim: 'data-till-db-0' }, 'volume:data-till-db-0'],
    ['KubeQuotaExceeded', { ...honoured, resourcequota: 'small' }, 'namespace:bank'],
    ['CPUThrottlingHigh', { ...cadvisor, pod: 'till-6c9d8f7b5-x2k4v', container: 'main' }, 'service:till'],
    [
      'NodeFilesystemFull',
      {
        job: 'node-exporter',
        service: 'mon-node-exporter',
        pod: 'mon-node-exporter-4xk2p',
        namespace: 'mon',
        instance: 'w-1:9100',
        device: '/dev/sda',
      },
      'host:w-1',
    ],
    ['HostOutOfMemory', { job: 'nodes', instance: 'w-1.example.org:9100', nodename: 'w-1' }, 'host:w-1'],
    ['EndpointDown', { job: 'blackbox', instance: 'https://shop.example.org/health' }, 'external:shop.example.org'],
    ['ProbeFailed', { job: 'blackbox-exporter', instance: 'http://till.bank.svc:8080/live' }, 'service:till'],
    ['PostgresDown', { job: 'postgres-exporter', instance: 'till-db:5432', datname: 'till' }, 'database:till-db'],
    [
      'RedisDown',
      { job: 'mon/cart-redis-exporter', service: 'cart-redis-metrics', instance: '10.1.1.1:9121' },
      'database:cart-redis',
    ],
    ['ConsumerLag', { job: 'kafka-exporter', consumergroup: 'billing', topic: 'orders', instance: 'k:9308' }, 'service:billing'],
    ['HighErrorRate', { service: 'till', pod: 'till-6c9d8f7b5-x2k4v', job: 'till', instance: '10.1.1.1:80' }, 'service:till'],
    ['HighErrorRate', { job: 'bank/till', instance: '10.1.1.1:80' }, 'service:till'],
    [
      'HighErrorRate',
      { job: 'ingress-nginx-metrics', service: 'ingress-nginx-metrics', exported_service: 'till', ingress: 'front' },
      'service:till',
    ],
    ['IstioErrors', { destination_workload: 'till', source_workload: 'web', reporter: 'source' }, 'service:till'],
    [
      'TargetDown',
      { job: 'kube-state-metrics', namespace: 'mon', service: 'mon-kube-state-metrics' },
      'service:mon-kube-state-metrics',
    ],
    ['InstanceDown', { job: 'node', instance: 'w-1:9100' }, 'host:w-1'],
    ['Slow', { service: '<none>', app: '12345', k8s_deployment_name: 'till' }, 'service:till'],
    ['Watchdog', { severity: 'none', prometheus: 'mon/k8s' }, undefined],
    ['Odd', { job: 'unknown', service: '7', instance: 'localhost:80' }, undefined],
  ])('%s %j', (name, labels, entity) => {
    expect(subjectOf(labels, name)).toBe(entity)
  })
  it.each([
    ['till-6c9d8f7b5-x2k4v', 'till'],
    ['till-api-7f5d4-k2x9p', 'till-api'],
    ['bill-29012345-x7v2q', 'bill'],
    ['collector-4xk2p', 'collector'],
    ['till-db-0', undefined],
    ['web', undefined],
    ['order-service', undefined],
  ])('the workload of pod %s is %s', (pod, name) => {
    expect(workloadOfPod(pod)).toBe(name)
  })
})
