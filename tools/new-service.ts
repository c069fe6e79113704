/** `npm run new-service <name>`: a package file, a config, a stage with its test, and the twelve-line main. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const name = process.argv[2]
if (!name || !/^[a-z][a-z0-9-]*$/.test(name)) {
  console.error('usage: npm run new-service <name>   (lower case, words joined by -)')
  process.exit(1)
}
const folder = path.resolve(import.meta.dirname, '../services', name)
if (existsSync(folder)) {
  console.error(`services/${name} exists already`)
  process.exit(1)
}
const camel = name.replace(/-(.)/g, (_, c: string) => c.toUpperCase())
const files: Record<string, string> = {
  'package.json': `${JSON.stringify(
    {
      name: `@aegis/${name}`,
      version: '0.1.0',
      private: true,
      description: 'Say in one sentence what it reads and writes.',
      license: 'MIT',
      type: 'module',
      exports: { '.': './src/service.ts' },
      scripts: { test: `vitest run --root ../.. --project unit services/${name}` },
      dependencies: { '@aegis/domain': '0.1.0', '@aegis/runtime': '0.1.0', zod: '4.6.7' },
    },
    null,
    2,
  )}\n`,
  'README.md': `# ${name}\n\nSay in one sentence what it reads and writes.\n\nTests: \`npm test -w @aegis/${name}\`.\n`,
  'src/config.ts': `import { z } from 'zod'\n\nexport const settings = {\n  example: { env: 'AEGIS_EXAMPLE', schema: z.string().default('value'), about: 'What it is for.' },\n}\n`,
  'src/count-lines.ts': `import { emit, type Input, idOf, isFrom, logsRaw, metricsRaw, type Result, type Stage } from '@aegis/domain'\n\n/** Replace by what the service does. */\nexport class CountLines implements Stage {\n  async process(batch: readonly Input[]): Promise<readonly Result[]> {\n    return batch.flatMap(input =>\n      isFrom(input, logsRaw)\n        ? [\n            emit(\n              metricsRaw,\n              {\n                id: idOf(input.value.id, 'count'),\n                environment: input.value.environment,\n                time: input.time,\n                entity: input.value.entity ?? 'service:unknown',\n                metric_name: 'lines',\n                metric_type: 'delta',\n                unit: '1',\n                value: 1,\n              },\n              input,\n            ),\n          ]\n        : [],\n    )\n  }\n}\n`,
  'src/count-lines.test.ts': `import { logsRaw, metricsRaw } from '@aegis/domain'\nimport { received, runStage } from '@aegis/runtime/testing'\nimport { expect, it } from 'vitest'\nimport { CountLines } from './count-lines.ts'\n\nit('counts each line once', async () => {\n  const line = { id: 'a', environment: 'test', time: 1, body: 'hello', observed_time: 1, source: 's' }\n  const { of } = await runStage(new CountLines(), [[received(logsRaw, line)]])\n  expect(of(metricsRaw).map(o => o.value)).toEqual([1])\n})\n`,
  'src/service.ts': `import { logsRaw, metricsRaw } from '@aegis/domain'\nimport { defineService, streamList } from '@aegis/runtime'\nimport { settings } from './config.ts'\nimport { CountLines } from './count-lines.ts'\n\nexport const ${camel} = defineService({\n  name: '${name}',\n  about: 'Say what it does.',\n  settings,\n  create: () => ({ stages: [{ name: 'count-lines', reads: streamList(logsRaw), writes: streamList(metricsRaw), create: () => new CountLines() }] }),\n})\n`,
  'src/main.ts': `import { runService } from '@aegis/runtime'\nimport { ${camel} } from './service.ts'\n\nawait runService(${camel})\n`,
}
for (const [file, text] of Object.entries(files)) {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
  writeFileSync(path.join(folder, file), text)
}
console.log(`services/${name} is there. Run "npm install --ignore-scripts" to link it, then "npm test -w @aegis/${name}".`)
