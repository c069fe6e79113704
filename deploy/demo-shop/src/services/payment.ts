/** Payments: each authorisation occupies one worker for as long as the bank takes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { metrics } from '@opentelemetry/api'
import { runService } from '../kit/run-service.ts'
import { HttpError } from '../kit/serve.ts'

await runService(kit => {
  const workers = kit.limitedPool('payment.workers', { name: 'authorisation', acquireTimeoutMs: 1500, maxWaiting: 14 })
  const amounts = metrics.getMeter('payment').createHistogram('payment.amount', { unit: 'EUR' })
  const slowBankMs = Number(kit.identity.config.bankLatencyMs) * 1.17
  let number = 0
  return {
    'POST /authorisations': async ({ body }) => {
      const { order, cents } = body as { order: string; cents: number }
      if (!(cents > 0)) throw new HttpError(400, `order ${order}: amount must be positive`)
      return workers.use(async () => {
        const bankMs = Number(kit.identity.config.bankLatencyMs) * (0.8 + 0.4 * Math.random())
        await sleep(bankMs)
        if (bankMs > slowBankMs) kit.log.warn(`bank gateway took ${bankMs.toFixed(0)} ms for order ${order}`)
        const authorisation = `auth-${process.pid}-${++number}`
        amounts.record(cents / 100)
        kit.log.info(`authorised ${(cents / 100).toFixed(2)} EUR for order ${order} as ${authorisation}`)
        return { status: 201, body: { authorisation } }
      })
    },
  }
})
