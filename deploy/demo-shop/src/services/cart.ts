/** Carts: one per customer, kept in the store. */
import { runService } from '../kit/run-service.ts'
import { HttpError } from '../kit/serve.ts'
import { StoreClient } from '../kit/store-client.ts'

export interface CartLine {
  product: string
  quantity: number
}

await runService(kit => {
  const store = new StoreClient(kit)
  const maxLines = Number(kit.identity.config.maxLines)
  const linesOf = async (customer: string) => (await store.get<CartLine[]>(`cart:${customer}`)) ?? []
  return {
    'GET /carts/:customer': async ({ params }) => ({ body: { lines: await linesOf(params.customer) } }),
    'POST /carts/:customer/lines': async ({ params, body }) => {
      const line = body as CartLine
      if (!line?.product) throw new HttpError(400, 'a cart line needs a product')
      const before = await linesOf(params.customer)
      if (before.length >= maxLines)
        kit.log.warn(`cart of ${params.customer} is full at ${maxLines} lines, dropping ${before[0].product}`)
      const lines = [...before, line].slice(-maxLines)
      await store.put(`cart:${params.customer}`, lines)
      kit.log.info(`cart of ${params.customer} now has ${lines.length} lines after adding ${line.quantity} x ${line.product}`)
      return { status: 201, body: { lines } }
    },
    'DELETE /carts/:customer': async ({ params }) => {
      await store.put(`cart:${params.customer}`, [])
      return { body: {} }
    },
  }
})
