declare module 'autocannon' {
  interface Result {
    readonly latency: { readonly p50: number; readonly p99: number; readonly p99_9: number }
    readonly requests: { readonly total: number }
    readonly non2xx: number
    readonly errors: number
    readonly timeouts: number
  }
  export default function autocannon(options: object): Promise<Result>
}
