/**
 * Weights of fuse-evidence.ts, as trainOnSimulated() of train-ranker.ts gives them, and the curve from margin to confidence, as
 * calibrateOnSimulated() gives it: simulated incidents only. Set by hand are the last ten.
 * Where a request stopped first (`trace_stop`): simulated systems write so many idle errors that learning leaves nothing of it, recorded
 * ones do not. `causal`: of worth only where the rest is near a tie, in simulated and recorded cases alike, and harmful above 2. `remedied`: one
 * precedent decides between equals. The six after them are signs that no simulated incident has (silence, being named in others' lines, a reported configuration
 * error, changes, being late, being explained by a dependency); the faults of the demo shop are their test.
 */
export const fusedWeights: {
  readonly weights: Readonly<Record<string, number>>
  readonly calibration: { readonly bias: number; readonly slope: number }
} = {
  calibration: { bias: -0.465, slope: 5.749 },
  weights: {
    cpu: 2.477,
    cpu_down: 0.882,
    memory: 2.752,
    memory_down: 2.956,
    disk: 1.103,
    pool: 2.314,
    latency: 2.571,
    latency_down: 0.2,
    outbound_latency: 2.481,
    error: 1.566,
    success: 1.132,
    traffic: 0.721,
    host: 0.024,
    metric_gap: 1.201,
    impact_error: 0.322,
    log_severe: 1.207,
    log_new_severe: 1.252,
    span_log_less: 0.261,
    span_log_broken: 0.715,
    span_log_severe: 0.161,
    trace_self: 2.456,
    trace_self_share: 0.177,
    trace_gap: 2.363,
    trace_gap_share: 2.723,
    trace_broken: 0.175,
    trace_error: 1.43,
    callers_hurt: 0.909,
    callees_strange: -0.254,
    broken_origin: 2.054,
    slow_origin: 1.427,
    in_reach: 1.42,
    same_as_alert: 0.206,
    pair: 1.481,
    both: -1.366,
    idle: 0.439,
    trace_stop: 3,
    trace_stop_share: 1.5,
    causal: 1.5,
    remedied: 1.5,
    absence: 3,
    accused: 2.5,
    config_error: 1.5,
    changed: 3.5,
    late: -2,
    explained: -2,
  },
}
