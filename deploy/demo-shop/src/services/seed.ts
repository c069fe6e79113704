/** What the shop sells on its first day. */
export interface Product {
  id: string
  name: string
  priceCents: number
  /** Only some products are on offer. */
  offer?: { percent: number }
}

export const productCount = 120
const materials = ['oak', 'linen', 'steel', 'cork', 'wool', 'glass']
const things = ['lamp', 'chair', 'desk', 'vase', 'rug', 'shelf', 'clock', 'mirror', 'stool', 'basket']

export function* seedRecords(): Iterable<[string, unknown]> {
  for (let n = 0; n < productCount; n++) {
    const product: Product = {
      id: `p-${n}`,
      name: `${materials[n % materials.length]} ${things[n % things.length]}`,
      priceCents: 900 + ((n * 137) % 9000),
      ...(n % 5 < 3 && { offer: { percent: 5 + (n % 4) * 5 } }),
    }
    yield [`product:${product.id}`, product]
    yield [`stock:${product.id}`, 1_000_000]
  }
}
