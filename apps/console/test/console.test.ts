/** Every page in a real browser: no error, no finding of axe, nothing wider than the window, and a decision approved with the keyboard alone, once. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { TestApi } from '@aegis/api-service/testing'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decision, incident, seed } from './seed.ts'

const executablePath = [
  process.env.AEGIS_TEST_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find(path => path !== undefined && existsSync(path))
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const PAGES = [
  '/',
  '/i/inc1',
  '/i/dim1',
  '/i/nobody',
  '/map',
  '/map?focus=service:stock',
  '/logs',
  '/metrics',
  '/decisions',
  '/d/dec1',
  '/changes',
  '/models',
  '/pipeline',
  '/settings',
  '/nowhere',
]

describe.skipIf(!executablePath)(
  `console${executablePath ? '' : ' (left out: no Chromium in /usr/bin or AEGIS_TEST_CHROMIUM)'}`,
  () => {
    let browser: Browser
    let api: TestApi
    const errors: string[] = []
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
      api = await new TestApi().start()
      await seed(api)
    })
    afterAll(async () => {
      await browser?.close()
      await api?.stop()
    })
    const open = async (url: string, options: { width?: number; dark?: boolean } = {}): Promise<Page> => {
      const context = await browser.newContext({
        viewport: { width: options.width ?? 1280, height: 900 },
        colorScheme: options.dark ? 'dark' : 'light',
        bypassCSP: true, // axe is put into the page
      })
      const page = await context.newPage()
      page.on('pageerror', error => errors.push(`${url}: ${error.message}`))
      await page.goto(api.base + url)
      await page
        .locator('main h1, main h2, main [role=alert]')
        .first()
        .waitFor({ timeout: 10_000 })
        .catch(async () => {
          throw new Error(`${url} shows: ${(await page.locator('body').innerText()).slice(0, 500)}; ${errors.join('; ')}`)
        })
      await page.waitForTimeout(400)
      return page
    }
    /** What axe objects to, WCAG 2.2 AA; `only` narrows it to rules. */
    const findings = async (page: Page, only?: readonly string[]): Promise<string[]> => {
      await page.addScriptTag({ path: axe })
      return page.evaluate(
        async rules => {
          type Axe = { run(options: object): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> }
          const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run({
            runOnly: rules ?? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
          })
          return violations.map(
            v =>
              `${v.id}: ${v.nodes
                .map(n => n.target.join(' '))
                .slice(0, 3)
                .join(' | ')}`,
          )
        },
        only as string[] | undefined,
      )
    }
    const each = async (page: Page, look: (url: string) => Promise<void>) => {
      for (const url of PAGES) {
        await page.goto(api.base + url)
        await page.locator('main h1, main h2, main [role=alert]').first().waitFor({ timeout: 10_000 })
        await page.waitForTimeout(250)
        await look(url)
      }
      await page.context().close()
      expect(errors).toEqual([])
    }

    it('has nothing axe objects to', { timeout: 120_000 }, async () => {
      const page = await open('/')
      await each(page, async url => expect(await findings(page), url).toEqual([]))
    })
    it('can be read in the dark as well', { timeout: 120_000 }, async () => {
      const page = await open('/', { dark: true })
      await each(page, async url => expect(await findings(page, ['color-contrast']), url).toEqual([]))
    })
    it('fits a telephone, and four times the size', { timeout: 120_000 }, async () => {
      // 320 CSS pixels are a window of 1280 at 400 %.
      const page = await open('/', { width: 320 })
      await each(page, async url =>
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), url).toBeLessThanOrEqual(0),
      )
    })
    it('shows what comes without being loaded again, and keeps what is selected', { timeout: 30_000 }, async () => {
      const page = await open('/')
      await page.getByText('No cause is named yet').or(page.getByText('no cause is named yet')).first().waitFor()
      await page.evaluate("getSelection().selectAllChildren(document.querySelector('article p a'))")
      const chosen = await page.evaluate('getSelection().toString()')
      await api.say(
        'incidents',
        incident({
          id: 'fresh',
          severity: 'critical',
          explanation: 'new',
          entities: ['service:mailer'],
          causes: [],
          verdict: 'not_enough_evidence',
        }),
      )
      await page.locator('a[href="/i/fresh"]').waitFor()
      expect(await page.evaluate('getSelection().toString()')).toBe(chosen)
      await api.say(
        'incidents',
        incident({ id: 'fresh', state: 'closed', severity: 'critical', causes: [], entities: ['service:mailer'] }),
      )
      await expect.poll(async () => (await page.locator('article a[href="/i/fresh"]').count()) === 0).toBe(true)
      await page.context().close()
    })
    it('approves with the keyboard alone, and once however often it is pressed', { timeout: 30_000 }, async () => {
      await api.say('remediation.decisions', decision('dec2', { attempt: 0 }))
      const page = await open('/')
      const button = page.getByRole('button', { name: 'Approve' }).first()
      for (let i = 0; i < 60 && !(await button.evaluate(b => b === b.ownerDocument.activeElement)); i++)
        await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Enter')
      await page.getByText(/^Approved: start stock/).waitFor()
      expect(api.published.filter(p => p.stream === 'remediation.approvals').map(p => p.value.approved)).toEqual([true])
      await page.context().close()
    })
    it('stops an environment only when its name was typed', { timeout: 30_000 }, async () => {
      const page = await open('/')
      await page.getByLabel('Environment').first().selectOption('shop')
      await page.getByRole('button', { name: 'Stop…' }).click()
      expect(await findings(page)).toEqual([])
      expect(await page.getByRole('button', { name: 'Stop everything' }).isDisabled()).toBe(true)
      await page.getByLabel('Type shop to go on').fill('shop')
      await page.getByRole('button', { name: 'Stop everything' }).click()
      await page.getByText('STOPPED: shop').waitFor()
      expect(api.published.find(p => p.stream === 'controls')?.value).toMatchObject({ kill_switch: true, environment: 'shop' })
      await page.context().close()
    })
    it('says that it is cut off, and goes on by itself', { timeout: 60_000 }, async () => {
      const page = await open('/')
      await page.context().setOffline(true)
      await api.cut()
      await page.getByText('The service is not heard').waitFor({ timeout: 20_000 })
      await api.say('incidents', incident({ id: 'meanwhile', severity: 'critical', causes: [], entities: ['service:ledger'] }))
      await page.context().setOffline(false)
      await page.locator('a[href="/i/meanwhile"]').waitFor({ timeout: 15_000 })
      await page.context().close()
    })
  },
)
