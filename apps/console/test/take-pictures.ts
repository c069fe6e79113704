/** `node apps/console/test/take-pictures.ts`: the pictures of docs/pictures, taken of the console on made-up records. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { TestApi } from '@aegis/api-service/testing'
import { chromium } from 'playwright-core'
import { seed } from './seed.ts'

const folder = path.resolve(import.meta.dirname, '../../../docs/pictures')
mkdirSync(folder, { recursive: true })
const api = await new TestApi().start()
await seed(api)
const browser = await chromium.launch({
  executablePath: process.env.AEGIS_TEST_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
for (const [name, url, dark, width, height] of [
  ['console-now', '/', false, 1100, 560],
  ['console-incident', '/i/inc1', true, 1100, 900],
  ['console-map', '/map', false, 1100, 640],
  ['console-telephone', '/i/inc1', false, 390, 760],
] as const) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    timezoneId: 'UTC',
  })
  const page = await context.newPage()
  await page.goto(api.base + url)
  await page.getByLabel('Environment').first().selectOption('shop')
  await page.waitForTimeout(1200)
  await page.screenshot({ path: path.join(folder, `${name}.png`) })
  await context.close()
}
await browser.close()
await api.stop()
process.exit(0)
