import { ACTIONS, type Action } from '@aegis/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Command, renderArgv } from './command.ts'

const node = process.execPath
const action = (name: string, parameters: Record<string, string> = {}): Action => ({
  action: 'restart',
  target: `service:${name}`,
  environment: 'test',
  parameters,
})
const ever = () => new AbortController().signal

describe('command', () => {
  it('keeps one argument one argument whatever the values are, or refuses', () => {
    const template = ['/bin/x', '--name={name}', '{name}', '{parameter.limit}', 'for {environment}', '--', 'fixed; rm -rf *']
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, limit) => {
        let argv: string[]
        try {
          argv = renderArgv(template, action(name, { limit }), 'id1')
        } catch (error) {
          expect((error as Error).message).toMatch(/may not be part of a command/)
          return
        }
        expect(argv).toEqual(['/bin/x', `--name=${name}`, name, limit, 'for test', '--', 'fixed; rm -rf *'])
        for (const value of [name, limit]) expect(value).toMatch(/^[A-Za-z0-9][^\s/\\'"`$;&|<>(){}*?!~#\0]*$/)
      }),
      { seed: 3, numRuns: 5000 },
    )
  })
  it('refuses what a shell, a path or an option parser would read something into', () => {
    for (const bad of ['', '-rf', 'a b', 'a;b', '$(id)', '`id`', 'a|b', 'a\nb', '../etc', 'a/b', 'a\0b', '{id}', "a'b", '*'])
      expect(() => renderArgv(['/bin/x', '{name}'], action(bad), 'id1'), bad).toThrow(/may not be part/)
    expect(() => renderArgv(['/bin/x', '{parameter.limit}'], action('a'), 'id1')).toThrow(/has no parameter.limit/)
  })
  it('gives the program its arguments as they are, without a shell', async () => {
    const print = 'console.log(JSON.stringify([process.argv.slice(1), process.env.AEGIS_DECISION_ID, process.env.HOME ?? null]))'
    const run = new Command({ restart: { argv: [node, '-e', print, '--', '{name}', '$HOME; echo *'] } })
    expect(JSON.parse((await run.execute(action('cart-1'), 'id1', ever())).text)).toEqual([
      ['cart-1', '$HOME; echo *'],
      'id1',
      null,
    ])
  })
  it('runs nothing that is not on the list, not even by a name every object has', async () => {
    const run = new Command({})
    for (const name of [...Object.keys(ACTIONS), 'constructor', '__proto__'])
      await expect(run.execute({ ...action('a'), action: name }, 'id1', ever())).rejects.toThrow(/no command is allowed/)
  })
  it('fails with what the program said, ends it when the time is up, and asks the check', async () => {
    const run = new Command({
      restart: {
        argv: [node, '-e', 'console.error("no unit"); process.exit(4)'],
        check: [node, '-e', 'process.exit(process.argv[1] === "id1" ? 0 : 1)', '{id}'],
      },
      start: { argv: [node, '-e', 'setInterval(() => {}, 1000)'] },
    })
    await expect(run.execute(action('a'), 'id1', ever())).rejects.toThrow(/ended with 4: no unit/)
    await expect(run.execute({ ...action('a'), action: 'start' }, 'id1', AbortSignal.timeout(100))).rejects.toThrow(/timeout/i)
    expect(await run.find(action('a'), 'id1', ever())).toMatchObject({ text: expect.stringContaining('found done') })
    expect(await run.find(action('a'), 'id2', ever())).toBe('unknown')
    expect(await run.find({ ...action('a'), action: 'start' }, 'id1', ever())).toBe('unknown')
  })
  it('only says in a dry run', async () => {
    const run = new Command({ restart: { argv: ['/no/such', '{name}'] } }, true)
    expect((await run.execute(action('a'), 'id1', ever())).text).toBe('dry run: /no/such a was not run')
  })
})
