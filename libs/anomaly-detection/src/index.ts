export * from './derive-series.ts'
export * from './robust-baseline.ts'
export * from './track-anomalies.ts'
