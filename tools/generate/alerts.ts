/** The alerts of Aegis' own health: from each come its rule, its runbook and the test that it fires. Their metrics: libs/runtime/src/telemetry.ts. */
export interface Alert {
  readonly name: string
  readonly expression: string
  readonly forMinutes: number
  readonly severity: 'page' | 'ticket'
  /** What it says, with the labels of the expression in braces of Prometheus. */
  readonly says: string
  readonly means: string
  readonly look: readonly string[]
  readonly mend: readonly string[]
  /** Series (in promtool's notation, a value a minute) that must raise it, with these labels, by this minute. */
  readonly fires: {
    readonly series: Readonly<Record<string, string>>
    readonly labels: Readonly<Record<string, string>>
    readonly minute: number
  }
}

const lag = (values: string) => ({
  [`aegis_lag_records{service="log-parser",group="log-parser-parse-logs",topic="logs.raw",partition="0"}`]: values,
})

export const ALERTS: readonly Alert[] = [
  {
    name: 'AegisServiceDown',
    expression: 'sum by (service) (up{job="aegis"}) == 0',
    forMinutes: 2,
    severity: 'page',
    says: 'No instance of {{ $labels.service }} answers.',
    means:
      'Every instance of one service is gone: its streams are not worked on. Nothing is lost; what comes waits on Kafka for as long as the topics keep it.',
    look: [
      'kubectl get pods -l app.kubernetes.io/component=SERVICE; kubectl logs --previous',
      'the last line of its log has a code: docs/reference/errors.md',
    ],
    mend: [
      'CONFIG_INVALID names the setting; SCHEMA_INCOMPATIBLE: helm rollback; killed for memory: raise services.SERVICE.resources',
      'it restores its state from its snapshots by itself',
    ],
    fires: {
      series: { 'up{job="aegis",service="remediator",instance="a"}': '1 0x10' },
      labels: { service: 'remediator' },
      minute: 5,
    },
  },
  {
    name: 'AegisPartitionsNotLive',
    expression: 'sum by (service, stage) (aegis_partitions_owned - aegis_partitions_live) > 0',
    forMinutes: 3,
    severity: 'page',
    says: '{{ $value }} partitions of {{ $labels.stage }} are assigned and do not work.',
    means:
      'A stage holds partitions that are not restored: its snapshot or replay takes long or fails again and again, or a batch waits for a server it needs.',
    look: [
      'aegis_recoveries_total and aegis_replayed_records_total of the stage',
      'the log of the service: "outage" names what does not answer (Neo4j, Redis, the registry)',
    ],
    mend: [
      'bring the named server back; the partition goes on by itself',
      'where the replay is long: lower AEGIS_SNAPSHOT_EVERY_RECORDS',
    ],
    fires: {
      series: {
        'aegis_partitions_owned{service="remediator",stage="decide-actions"}': '3x15',
        'aegis_partitions_live{service="remediator",stage="decide-actions"}': '3 1x15',
      },
      labels: { service: 'remediator', stage: 'decide-actions' },
      minute: 6,
    },
  },
  {
    name: 'AegisPartitionsUnowned',
    expression: 'sum by (stage) (aegis_partitions_owned) < max_over_time(sum by (stage) (aegis_partitions_owned)[1h:1m])',
    forMinutes: 5,
    severity: 'page',
    says: 'Fewer partitions of {{ $labels.stage }} are owned than an hour ago.',
    means:
      'Part of a stream has no reader: an instance is gone and the others did not take over, or a group does not come to rest.',
    look: [
      'kafka-consumer-groups --describe --group GROUP: members, and partitions without one',
      'restarts of the pods of that service',
    ],
    mend: [
      'restart the service; its group is formed anew',
      'if instances come and go: raise KAFKA_SESSION_TIMEOUT_MS, fix the autoscaler between two numbers',
    ],
    fires: {
      series: { 'aegis_partitions_owned{service="log-parser",stage="parse-logs"}': '6x10 4x15' },
      labels: { stage: 'parse-logs' },
      minute: 18,
    },
  },
  {
    name: 'AegisLagGrows',
    expression:
      'sum by (service, group, topic) (aegis_lag_records) > 20000 and sum by (service, group, topic) (deriv(aegis_lag_records[10m])) > 0',
    forMinutes: 10,
    severity: 'ticket',
    says: '{{ $labels.group }} is {{ $value }} records behind on {{ $labels.topic }}, and falls back further.',
    means:
      'More comes than this service works off. Detection is late by lag divided by rate; what waits longer than the topic keeps it is lost.',
    look: [
      'the dashboard Pipeline: rate in against rate of the topic',
      'is one partition alone behind? Then one key carries most of the load',
    ],
    mend: [
      'more instances, up to the number of partitions (docs/guides/capacity.md)',
      'more partitions: only while the pipeline is empty, keys move',
    ],
    fires: {
      series: lag('0+4000x40'),
      labels: { service: 'log-parser', group: 'log-parser-parse-logs', topic: 'logs.raw' },
      minute: 30,
    },
  },
  {
    name: 'AegisStageStands',
    expression: 'sum by (service) (aegis_lag_records) > 0 and sum by (service) (rate(aegis_records_in_total[5m])) == 0',
    forMinutes: 5,
    severity: 'page',
    says: '{{ $labels.service }} has {{ $value }} records before it and takes none.',
    means: 'There is work and nothing is done: an outage of something the stage needs, or a batch that fails again and again.',
    look: ['aegis_retries_total', 'the log of the service names the batch by topic, partition and offset'],
    mend: [
      'bring back the server that the log names',
      'a record that fails alone goes to its dead-letter topic by itself; a whole batch that fails is a defect: helm rollback',
    ],
    fires: {
      series: { ...lag('10x20'), 'aegis_records_in_total{service="log-parser",stage="parse-logs",stream="logs.raw"}': '100x20' },
      labels: { service: 'log-parser' },
      minute: 15,
    },
  },
  {
    name: 'AegisDeadLetters',
    expression: 'sum by (service, stage, code) (increase(aegis_dead_letters_total[15m])) > 0',
    forMinutes: 0,
    severity: 'ticket',
    says: '{{ $labels.stage }} put records on its dead-letter topic ({{ $labels.code }}).',
    means: 'Records that cannot be read or that make the stage throw. They are kept for 30 days with the reason and their bytes.',
    look: ['aegis dlq list; aegis dlq show', 'the code: docs/reference/errors.md'],
    mend: ['mend the sender, or the version that cannot read it, then aegis dlq redrive'],
    fires: {
      series: {
        'aegis_dead_letters_total{service="log-parser",stage="parse-logs",stream="logs.raw",code="DECODE_FAILED"}': '0x5 3x20',
      },
      labels: { service: 'log-parser', stage: 'parse-logs', code: 'DECODE_FAILED' },
      minute: 8,
    },
  },
  {
    name: 'AegisRetries',
    expression: 'sum by (service, stage) (increase(aegis_retries_total[10m])) > 5',
    forMinutes: 5,
    severity: 'ticket',
    says: 'Batches of {{ $labels.stage }} are tried again and again.',
    means: 'Something a stage needs answers now and then only: each retry throws its state away and restores it.',
    look: ['the log of the service: what threw', 'the health of Neo4j, Redis and the brokers'],
    mend: ['steady the named server; nothing is learned twice or lost meanwhile'],
    fires: {
      series: { 'aegis_retries_total{service="root-cause-analyzer",stage="diagnose-incidents"}': '0+2x40' },
      labels: { service: 'root-cause-analyzer', stage: 'diagnose-incidents' },
      minute: 20,
    },
  },
  {
    name: 'AegisFencedOften',
    expression: 'sum by (service, stage) (increase(aegis_recoveries_total[15m])) > 30',
    forMinutes: 5,
    severity: 'ticket',
    says: 'Partitions of {{ $labels.stage }} are fenced and restored all the time.',
    means: 'Two holders fight over partitions, or the group never comes to rest: instances are too slow for the session timeout.',
    look: ['CPU throttling of the pods', 'are two releases on one Kafka with the same groups?'],
    mend: ['raise CPU limits or KAFKA_SESSION_TIMEOUT_MS', 'one release per Kafka, or topics of their own'],
    fires: {
      series: { 'aegis_recoveries_total{service="log-parser",stage="parse-logs"}': '0+6x40' },
      labels: { service: 'log-parser', stage: 'parse-logs' },
      minute: 25,
    },
  },
  {
    name: 'AegisBatchesSlow',
    expression: 'histogram_quantile(0.99, sum by (service, stage, le) (rate(aegis_batch_seconds_bucket[5m]))) > 5',
    forMinutes: 10,
    severity: 'ticket',
    says: 'One in a hundred batches of {{ $labels.stage }} takes over 5 s.',
    means: 'Detection is late by as much. Near 10 s instances lose their place in the group.',
    look: ['garbage collection and CPU throttling', 'for root-cause-analyzer: how long Neo4j takes'],
    mend: ['lower AEGIS_BATCH_RECORDS', 'give Neo4j memory for its pages (docs/guides/capacity.md)'],
    fires: {
      series: {
        'aegis_batch_seconds_bucket{service="log-parser",stage="parse-logs",le="5"}': '0+1x40',
        'aegis_batch_seconds_bucket{service="log-parser",stage="parse-logs",le="10"}': '0+10x40',
        'aegis_batch_seconds_bucket{service="log-parser",stage="parse-logs",le="+Inf"}': '0+10x40',
      },
      labels: { service: 'log-parser', stage: 'parse-logs' },
      minute: 25,
    },
  },
  {
    name: 'AegisSnapshotNearLimit',
    expression: 'max by (service, stage) (aegis_snapshot_bytes) > 12 * 1024 * 1024',
    forMinutes: 5,
    severity: 'ticket',
    says: 'The snapshot of a partition of {{ $labels.stage }} is {{ $value | humanize1024 }}B; a record may have 16 MiB.',
    means:
      'The state of a partition nears what one record can hold. Beyond it no snapshot is written and a restart replays ever more.',
    look: ['how many entities and series there are, and whether names carry ids that never come again'],
    mend: ['more partitions, while the pipeline is empty', 'names without request ids and pod hashes from the sender'],
    fires: {
      series: { 'aegis_snapshot_bytes{service="anomaly-detector",stage="detect-metric-anomalies",partition="0"}': '13000000x20' },
      labels: { service: 'anomaly-detector', stage: 'detect-metric-anomalies' },
      minute: 10,
    },
  },
  {
    name: 'AegisDecisionsWithoutOutcome',
    expression:
      'sum(increase(aegis_records_out_total{stream="remediation.decisions"}[30m])) > 0 unless sum(increase(aegis_records_out_total{stream="remediation.outcomes"}[30m])) > 0',
    forMinutes: 10,
    severity: 'page',
    says: 'Actions are decided and nothing comes of them.',
    means: 'The executor takes no decisions up, or may not act: systems are not being healed.',
    look: [
      'aegis tail remediation.outcomes',
      'aegis audit: was the kill switch set?',
      'rights of the executor: kubectl auth can-i --as=system:serviceaccount:NAMESPACE:RELEASE-executor',
    ],
    mend: ['rbac.executor.namespaces of the chart', 'Redis, where its leases are'],
    fires: {
      series: {
        'aegis_records_out_total{service="remediator",stage="decide-actions",stream="remediation.decisions"}': '0+1x60',
        'aegis_records_out_total{service="executor",stage="carry-out-decisions",stream="remediation.outcomes"}': '7x60',
      },
      labels: {},
      minute: 45,
    },
  },
]
