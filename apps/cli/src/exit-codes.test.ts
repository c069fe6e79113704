import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'

const aegis = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.resolve(import.meta.dirname, 'main.ts'), ...args], {
    encoding: 'utf8',
    // Nobody listens on the first port.
    env: {
      PATH: process.env.PATH,
      KAFKA_BROKERS: '127.0.0.1:1',
      AEGIS_GATEWAY_URL: 'http://127.0.0.1:1',
      AEGIS_STATE_DIR: import.meta.dirname,
    },
  })
  return { status, stdout, stderr }
}

test('a command ends by what went wrong, and names the server and the setting', () => {
  expect(aegis('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^aegis \d+\.\d+\.\d+ on Node \d+/) })
  expect(aegis('--help').status).toBe(0)
  expect(aegis('tail', '--nonsense').status).toBe(2)
  expect(aegis('nonsense').status).toBe(2)
  expect(aegis('tail', 'nonsense')).toMatchObject({ status: 2, stderr: expect.stringContaining('there is no stream nonsense') })
  const away = aegis('tail', 'anomalies')
  expect(away).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/Kafka at 127\.0\.0\.1:1 does not answer .*KAFKA_BROKERS/),
  })
  expect(aegis('kill', 'prod')).toMatchObject({ status: 3, stderr: expect.stringContaining('AEGIS_GATEWAY_URL') })
})

test('the shell is told of every command, and completes an option of one', () => {
  const script = aegis('completion', 'bash').stdout
  const typed = (line: string) => {
    const words = line.split(' ')
    const ask = `${script}\nCOMP_WORDS=(${words.map(w => `'${w}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _aegis; echo "\${COMPREPLY[@]}"`
    return spawnSync('bash', ['-c', ask], { encoding: 'utf8' }).stdout.trim()
  }
  expect(typed('aegis dem')).toBe('demo')
  expect(typed('aegis dlq ').split(' ')).toEqual(expect.arrayContaining(['list', 'show']))
  expect(typed('aegis kill prod --o')).toBe('--off')
  expect(aegis('completion', 'fish').stdout).toContain('-f -a demo')
})

test('the doctor says what is away and what to do', () => {
  const { status, stdout } = aegis('doctor')
  expect(status).toBe(3)
  expect(stdout).toMatch(/BAD {2}Kafka and registry.*KAFKA_BROKERS/)
  expect(stdout).toMatch(/BAD {2}gateway.*AEGIS_GATEWAY_URL/)
  expect(stdout).toMatch(/ok {3}Node/)
})
