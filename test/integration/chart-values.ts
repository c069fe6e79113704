/** Ten ways to install the chart: what it must render, and what must come of it. */
export const VALUE_SETS: Readonly<Record<string, object>> = {
  'as shipped': {},
  'several instances': { defaults: { replicas: 3 }, priorityClassName: 'aegis', podDisruptionBudget: { maxUnavailable: '34%' } },
  'scaled by CPU': { defaults: { autoscaling: { kind: 'hpa', min: 2, max: 4 } } },
  'scaled by lag': { defaults: { autoscaling: { kind: 'keda', min: 1, max: 7, lag: 2000 } } },
  'Kafka by Strimzi': {
    kafka: { strimzi: { enabled: true, cluster: 'events' } },
    settings: { AEGIS_DATA_PARTITIONS: 12, KAFKA_SSL: true },
    defaults: { autoscaling: { kind: 'keda' } },
  },
  'on a GPU': {
    services: { 'anomaly-detector': { gpu: true } },
    gpu: { nodeSelector: { accelerator: 'h100' }, runtimeClassName: 'nvidia' },
  },
  'secrets from elsewhere': {
    externalSecrets: { enabled: true, store: { name: 'vault', kind: 'ClusterSecretStore' }, prefix: 'prod/' },
    csi: { secretProviderClass: 'aegis' },
  },
  watched: { monitoring: { podMonitor: true, rules: true, dashboards: true, labels: { release: 'prometheus' } } },
  'with rights and state': {
    rbac: {
      executor: { namespaces: ['shop', 'till'], nodes: true },
      watch: { namespaces: ['shop'], cluster: true },
    },
    services: {
      gateway: { files: { environments: 'shop\n' }, settings: { AEGIS_ENVIRONMENTS_FILE: '/etc/aegis/files/environments' } },
      remediator: { authoritySecret: 'aegis-authority-remediator', persistence: { enabled: true, size: '1Gi' } },
      'build-analyzer': { enabled: false },
    },
  },
  'without what is optional': {
    networkPolicy: { enabled: false },
    preflight: { enabled: false },
    podDisruptionBudget: { enabled: false },
    image: {
      repository: 'registry.local/aegis',
      tag: '0.2.0',
      pullSecrets: [{ name: 'pull' }],
      digests: { gateway: `sha256:${'a'.repeat(64)}` },
    },
    rbac: { executor: { clusterWide: true }, watch: { clusterWide: true } },
  },
}

/** Values that must be refused, and the word the refusal must name. */
export const REFUSED: readonly (readonly [what: string, values: object, names: RegExp])[] = [
  ['a setting misspelt', { settings: { KAFKA_BROKER: 'kafka:9092' } }, /KAFKA_BROKER/],
  [
    'a setting that the service does not read',
    { services: { 'log-parser': { settings: { NEO4J_URI: 'bolt://x' } } } },
    /NEO4J_URI/,
  ],
  ['a secret in clear', { settings: { KAFKA_PASSWORD: 'hunter2' } }, /KAFKA_PASSWORD/],
  ['a reference without its key', { secrets: { KAFKA_PASSWORD: { name: 'aegis' } } }, /key/],
  ['a word that is none of those', { settings: { LOG_LEVEL: 'loud' } }, /LOG_LEVEL/],
  ['a number that is none', { settings: { AEGIS_BATCH_RECORDS: 'many' } }, /AEGIS_BATCH_RECORDS/],
  ['a service there is not', { services: { 'log-praser': {} } }, /log-praser/],
  ['a scaler there is not', { defaults: { autoscaling: { kind: 'vpa' } } }, /kind/],
  ['too short a drain', { terminationGracePeriodSeconds: 3 }, /terminationGracePeriodSeconds/],
  ['a gateway that lets everybody in', { secrets: { AEGIS_API_TOKEN: null } }, /gateway .*AEGIS_API_TOKEN/],
]

/** Kinds of objects that each of them brings besides what every one has. */
export const BRINGS: Readonly<Record<keyof typeof VALUE_SETS, readonly string[]>> = {
  'as shipped': ['Job', 'NetworkPolicy'],
  'several instances': ['Job', 'NetworkPolicy', 'PodDisruptionBudget'],
  'scaled by CPU': ['HorizontalPodAutoscaler', 'Job', 'NetworkPolicy', 'PodDisruptionBudget'],
  'scaled by lag': ['HorizontalPodAutoscaler', 'Job', 'NetworkPolicy', 'PodDisruptionBudget', 'ScaledObject'],
  'Kafka by Strimzi': [
    'HorizontalPodAutoscaler',
    'Job',
    'KafkaTopic',
    'KafkaUser',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'ScaledObject',
    'TriggerAuthentication',
  ],
  'on a GPU': ['Job', 'NetworkPolicy'],
  'secrets from elsewhere': ['ExternalSecret', 'Job', 'NetworkPolicy'],
  watched: ['ConfigMap', 'Job', 'NetworkPolicy', 'PodMonitor', 'PrometheusRule'],
  'with rights and state': [
    'ClusterRole',
    'ClusterRoleBinding',
    'ConfigMap',
    'Job',
    'NetworkPolicy',
    'Role',
    'RoleBinding',
    'StatefulSet',
  ],
  'without what is optional': ['ClusterRole', 'ClusterRoleBinding', 'Job'],
}
