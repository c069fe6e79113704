/**
 * Whether the shop is well, judged only by what its customers see: the success and latency of the load generator's requests.
 * With hysteresis: two bad seconds of three break it, five good ones together make it well again.
 */
export interface LoadWindow {
  /** End of the second, in milliseconds since 1970. */
  time: number
  requests: number
  failed: number
  /** 0 to 1; 0 where nothing was answered. */
  success: number
  p50Ms: number
  p95Ms: number
}

export interface WellOptions {
  /** A second whose 95th percentile is above this is bad. */
  p95LimitMs: number
  /** How many last seconds together must be good to be well again; 5 unless told. */
  wellSeconds?: number
  /** Success that those seconds need together; 0.99 unless told. */
  wellSuccess?: number
  /** A second with less success than this is bad; 0.95 unless told. */
  badSuccess?: number
}

/** Between these lies the 95th percentile from which a second is bad, milliseconds. */
export const P95_LIMITS = { least: 250, most: 400 } as const

/** Four times the healthy 95th percentile (median of the warm-up's seconds), within its limits. */
export function p95LimitOf(warmUp: readonly LoadWindow[]): number {
  const sorted = warmUp.map(window => window.p95Ms).sort((a, b) => a - b)
  const healthy = sorted[sorted.length >> 1] ?? 0
  return Math.min(P95_LIMITS.most, Math.max(P95_LIMITS.least, 4 * healthy))
}

/** State after the last of these consecutive windows; begins as well. */
export function isWell(windows: readonly LoadWindow[], options: WellOptions): boolean {
  const { p95LimitMs, wellSeconds = 5, wellSuccess = 0.99, badSuccess = 0.95 } = options
  const bad = (window: LoadWindow) => window.requests === 0 || window.success < badSuccess || window.p95Ms > p95LimitMs
  let well = true
  for (let i = 0; i < windows.length; i++) {
    if (well) {
      well = windows.slice(Math.max(0, i - 2), i + 1).filter(bad).length < 2
      continue
    }
    const last = windows.slice(Math.max(0, i + 1 - wellSeconds), i + 1)
    if (last.length < wellSeconds || last.some(bad)) continue
    const requests = last.reduce((sum, window) => sum + window.requests, 0)
    const failed = last.reduce((sum, window) => sum + window.failed, 0)
    well = (requests - failed) / requests >= wellSuccess
  }
  return well
}
