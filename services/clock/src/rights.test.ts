import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/reference/permissions.md'), 'utf8')
/** Topics a service may write, as the page of rights has them, which is made from what the services declare. */
const writes = (service: string): string[] => {
  const part = page.split(`\n## ${service}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...part.matchAll(/^\| topic \| `([^`]+)` \|[^|]*\|([^|]*)\|$/gm)].filter(m => m[2].includes('Write')).map(m => m[1])
}

test('the services that the network reaches may write no finding, decision, control or model', () => {
  for (const service of ['gateway', 'api']) {
    const topics = writes(service)
    expect(topics).toContain('controls.wanted')
    expect(
      topics.filter(t =>
        /^(?:anomalies|incidents|controls|models|logs\.parsed|remediation\.(?:decisions|outcomes|standstills))$/.test(t),
      ),
    ).toEqual([])
  }
  expect(writes('clock')).toEqual(expect.arrayContaining(['anomalies', 'controls']))
})
