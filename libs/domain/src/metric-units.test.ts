import { expect, it } from 'vitest'
import { shownLow } from './metric-units.ts'

it.each([
  ['calls.error_share', '', -0.09, 0],
  ['logs.error_rate', '1/s', -3, 0],
  ['anything', 'ms', -3, 0],
  ['http.server.errors{route=/x}', '1/s', -3, 0],
  ['temperature', 'Cel', -3, -3],
  ['account.balance', '', -3, -3],
  ['anything', '', -3, -3],
  ['cpu_usage', '%', 4, 4],
])('shows the lower bound of %s in %s, %d, as %d', (metric, unit, low, shown) => expect(shownLow(metric, unit, low)).toBe(shown))
