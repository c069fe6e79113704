/** The edge: what customers call. Puts pages together from the services behind it and keeps an access log. */
import { runService } from '../kit/run-service.ts'
import type { Handler } from '../kit/serve.ts'

await runService(kit => {
  const timeoutMs = Number(kit.identity.config.upstreamTimeoutMs)
  const catalog = kit.upstream('catalog', timeoutMs)
  const inventory = kit.upstream('inventory', timeoutMs)
  const cart = kit.upstream('cart', timeoutMs)
  const checkout = kit.upstream('checkout', timeoutMs)
  const logged = (name: string, handler: Handler): Handler => {
    return async request => {
      const started = performance.now()
      const subject = Object.values(request.params)[0] ?? request.query.get('q') ?? '-'
      const line = (outcome: string) => `${name} ${subject} ${outcome} in ${(performance.now() - started).toFixed(1)} ms`
      try {
        const reply = await handler(request)
        kit.log.info(line('served'), { 'http.response.status_code': reply.status ?? 200 })
        return reply
      } catch (error) {
        kit.log.error(`${line('failed')}: ${(error as Error).message}`)
        throw error
      }
    }
  }
  return {
    'GET /': async () => ({ body: { shop: 'open' } }),
    'GET /products/:id': logged('product page', async ({ params }) => {
      const [product, stock] = await Promise.all([
        catalog.call<object>('GET', `/products/${params.id}`),
        inventory.call<{ left: number }>('GET', `/stock/${params.id}`),
      ])
      return { body: { ...product, left: stock.left } }
    }),
    'GET /search': logged('search', async ({ query }) => ({
      body: await catalog.call('GET', `/search?q=${encodeURIComponent(query.get('q') ?? '')}`),
    })),
    'POST /carts/:customer/lines': logged('add to cart', async ({ params, body }) => ({
      status: 201,
      body: await cart.call('POST', `/carts/${params.customer}/lines`, body),
    })),
    'POST /orders/:customer': logged('checkout', async ({ params }) => ({
      status: 201,
      body: await checkout.call('POST', '/orders', { customer: params.customer }),
    })),
  }
})
