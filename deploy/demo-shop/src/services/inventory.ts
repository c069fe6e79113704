/** Stock: how many of a product are there, and reserving some. */
import { runService } from '../kit/run-service.ts'
import { HttpError } from '../kit/serve.ts'
import { StoreClient } from '../kit/store-client.ts'

await runService(kit => {
  const store = new StoreClient(kit)
  const low = Number(kit.identity.config.lowStock)
  return {
    'GET /stock/:product': async ({ params }) => {
      const left = await store.get<number>(`stock:${params.product}`)
      if (left === undefined) throw new HttpError(404, `no stock record of ${params.product}`)
      return { body: { left } }
    },
    'POST /reservations': async ({ body }) => {
      const { order, product, quantity } = body as { order: string; product: string; quantity: number }
      const left = await store.add(`stock:${product}`, -quantity, 0)
      kit.log.info(`reserved ${quantity} x ${product} for order ${order}, ${left} left`)
      if (left < low) kit.log.warn(`stock of ${product} is low: ${left}`)
      return { status: 201, body: { left } }
    },
  }
})
