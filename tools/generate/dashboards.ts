/** Grafana dashboards of Aegis itself, from one short list. Their metrics: libs/runtime/src/telemetry.ts. */
interface Panel {
  readonly title: string
  readonly about: string
  readonly queries: readonly { readonly expression: string; readonly legend: string }[]
  readonly unit: string
}
interface Dashboard {
  readonly file: string
  readonly title: string
  readonly panels: readonly Panel[]
}

const of = (title: string, unit: string, expression: string, legend: string, about = ''): Panel => ({
  title,
  about,
  unit,
  queries: [{ expression, legend }],
})
/** Records a second, of one stream or more. */
const out = (streams: string) => `sum by (stream) (rate(aegis_records_out_total{stream=~"${streams}"}[$__rate_interval]))`

export const DASHBOARDS: readonly Dashboard[] = [
  {
    file: 'pipeline',
    title: 'Aegis: pipeline',
    panels: [
      of('Records in', 'cps', 'sum by (stage) (rate(aegis_records_in_total[$__rate_interval]))', '{{stage}}'),
      of('Records out', 'cps', out('.+'), '{{stream}}'),
      of(
        'Lag',
        'short',
        'sum by (group, topic) (aegis_lag_records)',
        '{{group}} {{topic}}',
        'Records that a group has yet to take up. Divided by its rate: how late detection is.',
      ),
      of(
        'Behind by',
        's',
        'sum by (service) (aegis_lag_records) / sum by (service) (rate(aegis_records_in_total[5m]))',
        '{{service}}',
        'Seconds until what waits is worked off, at the present rate.',
      ),
      of(
        'Batch, 99th percentile',
        's',
        'histogram_quantile(0.99, sum by (stage, le) (rate(aegis_batch_seconds_bucket[$__rate_interval])))',
        '{{stage}}',
        'From taking a batch to its commit: what one stage adds to the delay of detection.',
      ),
      of(
        'Dead letters',
        'short',
        'sum by (stage, code) (increase(aegis_dead_letters_total[$__rate_interval]))',
        '{{stage}} {{code}}',
      ),
    ],
  },
  {
    file: 'healing',
    title: 'Aegis: found, decided, done',
    panels: [
      of('Anomalies', 'cpm', `60 * ${out('anomalies')}`, 'anomalies'),
      of(
        'Incidents written',
        'cpm',
        `60 * ${out('incidents')}`,
        'incidents',
        'An incident is written at each change of its state.',
      ),
      of('Decisions', 'cpm', `60 * ${out('remediation.decisions')}`, 'decisions'),
      of(
        'Outcomes',
        'cpm',
        `60 * ${out('remediation.outcomes')}`,
        'outcomes',
        'Started, carried out, done, undone, failed: several of one decision.',
      ),
      of('Models published', 'cpm', `60 * ${out('models')}`, 'models'),
      of(
        'Detection delay in the pipeline',
        's',
        'sum(histogram_quantile(0.99, sum by (stage, le) (rate(aegis_batch_seconds_bucket{service=~"log-parser|anomaly-detector|root-cause-analyzer"}[5m]))))',
        '99th percentile',
        'The stages from line to incident, added up. Deliberate waiting (AEGIS_SETTLE_MS) comes on top.',
      ),
    ],
  },
  {
    file: 'state',
    title: 'Aegis: state and recovery',
    panels: [
      of('Partitions owned', 'short', 'sum by (stage) (aegis_partitions_owned)', '{{stage}}'),
      of('Partitions not live', 'short', 'sum by (stage) (aegis_partitions_owned - aegis_partitions_live)', '{{stage}}'),
      of('Recoveries', 'short', 'sum by (stage) (increase(aegis_recoveries_total[$__rate_interval]))', '{{stage}}'),
      of('Replayed records', 'cps', 'sum by (stage) (rate(aegis_replayed_records_total[$__rate_interval]))', '{{stage}}'),
      of('Retries', 'short', 'sum by (stage) (increase(aegis_retries_total[$__rate_interval]))', '{{stage}}'),
      of(
        'Snapshots, largest partition',
        'bytes',
        'max by (stage) (aegis_snapshot_bytes)',
        '{{stage}}',
        'A record may have 16 MiB.',
      ),
    ],
  },
]

/** Every expression of the dashboards as a server of its own understands it. */
export const dashboardQueries = (): string[] =>
  DASHBOARDS.flatMap(d => d.panels.flatMap(p => p.queries.map(q => q.expression.replaceAll('$__rate_interval', '5m'))))

const datasource = { type: 'prometheus', uid: '${datasource}' }
/** A dashboard as Grafana's JSON model has it (schema 39). */
const modelOf = ({ file, title, panels }: Dashboard): object => ({
  uid: `aegis-${file}`,
  title,
  tags: ['aegis'],
  schemaVersion: 39,
  editable: true,
  graphTooltip: 1,
  refresh: '30s',
  time: { from: 'now-1h', to: 'now' },
  templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', current: {}, hide: 0 }] },
  panels: panels.map((panel, i) => ({
    id: i + 1,
    type: 'timeseries',
    title: panel.title,
    description: panel.about,
    datasource,
    gridPos: { x: (i % 2) * 12, y: Math.floor(i / 2) * 8, w: 12, h: 8 },
    fieldConfig: { defaults: { unit: panel.unit, custom: { fillOpacity: 8, showPoints: 'never' } }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: panel.queries.map((q, n) => ({
      refId: String.fromCharCode(65 + n),
      datasource,
      expr: q.expression,
      legendFormat: q.legend,
    })),
  })),
})

export const dashboardFiles = (): Record<string, string> =>
  Object.fromEntries(
    DASHBOARDS.map(d => [
      `deploy/helm/aegis/files/dashboards/${d.file}.generated.json`,
      `${JSON.stringify(modelOf(d), null, 2)}\n`,
    ]),
  )
