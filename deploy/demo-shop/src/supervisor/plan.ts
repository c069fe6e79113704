/** What the shop consists of: which services, in which releases, with which configuration and limits. */
export interface ServicePlan {
  name: string
  /** Version to entry file under `services/`. */
  releases: Record<string, string>
  /** The version a new shop starts with. */
  version: string
  config: Record<string, number | string>
  /** What `raise-limit` raises: connections, workers or slots. */
  limit: number
  limitOf: string
  diskQuotaBytes: number
}

const service = (
  name: string,
  version: string,
  config: ServicePlan['config'],
  limit: number,
  limitOf: string,
  more: Partial<ServicePlan> = {},
) => ({
  name,
  version,
  releases: { [version]: `${name}.ts` },
  config,
  limit,
  limitOf,
  diskQuotaBytes: 8_000_000,
  ...more,
})

export const shopPlan: readonly ServicePlan[] = [
  service('store', '5.1.2', { mediumLatencyMs: 1, maxConnections: 96 }, 4, 'input/output slots', { diskQuotaBytes: 24_000_000 }),
  service('catalog', '2.3.1', { pageSize: 10 }, 10, 'connections to the store', {
    releases: { '2.3.1': 'catalog.ts', '2.4.0': 'catalog-2.4.0.ts' },
  }),
  service('inventory', '1.8.0', { lowStock: 50 }, 8, 'connections to the store'),
  service('cart', '3.0.4', { maxLines: 12 }, 10, 'connections to the store'),
  service('payment', '4.2.0', { bankLatencyMs: 40 }, 1, 'authorisation workers'),
  service('checkout', '2.9.3', { paymentTimeoutMs: 2000, shippingCents: 490 }, 10, 'connections to the store'),
  service('storefront', '6.0.1', { upstreamTimeoutMs: 2500 }, 1, 'nothing'),
]
