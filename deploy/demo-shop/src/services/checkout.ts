/** Orders: prices the cart, reserves stock, has the payment authorised, records the order, empties the cart. */
import { metrics } from '@opentelemetry/api'
import { runService } from '../kit/run-service.ts'
import { StoreClient } from '../kit/store-client.ts'
import type { CartLine } from './cart.ts'

const keptOrders = 2000

await runService(kit => {
  const { config } = kit.identity
  const store = new StoreClient(kit)
  const cart = kit.upstream('cart', 1500)
  const inventory = kit.upstream('inventory', 1500)
  const payment = kit.upstream('payment', Number(config.paymentTimeoutMs))
  const orders = metrics.getMeter('checkout').createCounter('shop.orders', { unit: '{order}' })
  let number = 0
  return {
    'POST /orders': async ({ body }) => {
      const { customer } = body as { customer: string }
      const order = `o-${process.pid}-${++number}`
      const { lines } = await cart.call<{ lines: CartLine[] }>('GET', `/carts/${customer}`)
      const bought = lines[0] ?? { product: 'p-1', quantity: 1 }
      await inventory.call('POST', '/reservations', { order, ...bought })
      const cents = 1500 * Math.max(1, lines.length) + Number(config.shippingCents)
      const { authorisation } = await payment.call<{ authorisation: string }>('POST', '/authorisations', { order, cents })
      await store.put(`order:${number % keptOrders}`, { order, customer, lines, cents, authorisation })
      await cart.call('DELETE', `/carts/${customer}`)
      orders.add(1)
      kit.log.info(`order ${order} of ${customer} placed: ${lines.length} lines, ${(cents / 100).toFixed(2)} EUR`)
      return { status: 201, body: { order, cents } }
    },
  }
})
