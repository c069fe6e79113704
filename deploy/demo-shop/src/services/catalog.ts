/** Products: one by id, or a search. */
import { runService } from '../kit/run-service.ts'
import { HttpError } from '../kit/serve.ts'
import { StoreClient } from '../kit/store-client.ts'
import type { Product } from './seed.ts'

await runService(kit => {
  const store = new StoreClient(kit)
  const priceOf = (product: Product) => Math.round(product.priceCents * (1 - (product.offer?.percent ?? 0) / 100))
  const shown = (product: Product) => ({ ...product, priceCents: priceOf(product) })
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
