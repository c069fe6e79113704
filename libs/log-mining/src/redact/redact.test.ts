import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact, redactAttribute, redactRecord } from './redact.ts'
import { secretRules } from './secret-rules.ts'
import { fill } from './secrets.cases.ts'

const random = fc.integer({ min: 1, max: 2 ** 31 }).map(seed => {
  let state = seed
  return () => (state = (Math.imul(state, 48_271) >>> 0) % 2_147_483_647) / 2_147_483_647
})
/** A secret made anew from one of the recipes. */
const known = fc
  .tuple(fc.constantFrom(...secretRules.flatMap(r => r.matches)), random)
  .map(([recipe, next]) => fill(recipe, next))

const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const alnum = (min: number, max = min) =>
  fc.string({
    unit: fc.constantFrom(...'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789'),
    minLength: min,
    maxLength: max,
  })

/** A secret with the text that carries it. */
const planted = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        'password',
        'DB_PASSWORD',
        'passwd',
        'client_secret',
        'api_key',
        'x-api-key',
        'refreshToken',
        'AWS_SECRET_ACCESS_KEY',
        'session_id',
      ),
      fc.constantFrom('=', ': ', '="', '":"'),
      alnum(8, 40),
    )
    .map(([key, sign, secret]) => ({
      secret,
      text: `${key}${sign}${secret}${sign.endsWith('"') ? '"' : ''}`,
    })),
  alnum(20, 60).map(secret => ({ secret, text: `Authorization: Bearer ${secret}` })),
  alnum(12, 30).map(secret => ({ secret, text: `postgres://app:${secret}@db:5432/shop` })),
  alnum(36).map(secret => ({ secret, text: `ghp_${secret}` })),
  fc.tuple(alnum(20, 40), alnum(30, 60), alnum(20, 40)).map(([a, b, c]) => ({ secret: b, text: `eyJ${a}.${b}.${c}` })),
  fc
    .string({ unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'), minLength: 16, maxLength: 16 })
    .map(secret => ({ secret, text: `AKIA${secret}` })),
  hex(64).map(secret => ({ secret, text: `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----` })),
  alnum(6, 20).map(name => ({ secret: name, text: `${name}@mail.example.org` })),
)
const around = fc.constantFrom(
  '',
  'login failed for ',
  'GET /cart 200 ',
  '{"event":"x","data":"',
  'retry 3: ',
  'user=bob ',
  '“ü” ',
)

describe('redact', () => {
  it('lets no planted secret through, wherever it stands', () => {
    fc.assert(
      fc.property(around, planted, fc.constantFrom('', ' done', ', next', ' trace=1'), (before, { secret, text }, after) => {
        expect(redact(before + text + after)).not.toContain(secret)
      }),
      { seed: 11, numRuns: 1000 },
    )
  })

  it.each(secretRules.map(r => [r.kind, r] as const))(
    'takes %s out by its form, and leaves what only looks like it',
    (_, rule) => {
      fc.assert(
        fc.property(random, next => {
          for (const recipe of rule.matches) {
            const { text, parts } = fill(recipe, next)
            const out = redact(text)
            for (const part of parts) expect(out).not.toContain(part)
            expect(out).toContain('<redacted:')
          }
        }),
        { seed: 13, numRuns: 20 },
      )
      for (const text of rule.misses ?? []) expect(redact(text)).toBe(text)
      for (const trigger of rule.triggers) expect(trigger.length).toBeGreaterThanOrEqual(3)
    },
  )

  it('lets no secret of a known form through, wherever it stands', () => {
    const glue = fc.constantFrom(' ', '"', "'", '(', '[', ': ', ', ', '\n', '\t')
    const text = fc.oneof(around, fc.string({ maxLength: 60 }))
    fc.assert(
      fc.property(text, glue, known, glue, text, (before, open, { text: secret, parts }, close, after) => {
        const out = redact(before + open + secret + close + after)
        for (const part of parts) expect(out).not.toContain(part)
      }),
      { seed: 14, numRuns: 1000 },
    )
  })

  it.each([
    '{"password":"%"}',
    '{\\"password\\":\\"%\\"}',
    'login --password % --user bob',
    '<password>%</password>',
    'the password is %',
    "with password '%' now",
    '{"name":"DB_PASSWORD","value":"%"}',
    '{"key":"password","value":{"stringValue":"%"}}',
    'password%3D%',
    ":password=>'%'",
    'Server=x;User Id=sa;Password=%;',
    'redis://:%@cache:6379/0',
    'jdbc:oracle:thin:scott/%@db:1521',
    'spring.datasource.password=%',
    'Cookie: theme=dark; sid=%; lang=en',
    'Set-Cookie: sid=%; Path=/; HttpOnly',
    '"authorization": ["Bearer %"]',
    'Authorization: Digest username="bob", response="%"',
    'GET /v1?api_key=%&page=2',
    'user:\n  clientSecret: %',
  ])('knows %s', form => {
    const secret = 'kQ7rWz2bTn9xPd4s'
    const text = form.replace(/%(?!3D)/, secret)
    const out = redact(text)
    expect(out).not.toContain(secret)
    expect(redact(out)).toBe(out)
  })

  it('judges attributes by name and value, and records throughout', () => {
    expect(redactAttribute('http.request.header.authorization', '["Bearer abc"]')).toBe('<redacted:authorization>')
    expect(redactAttribute('db.password', 'abc')).toBe('<redacted:password>')
    expect(redactAttribute('secretName', 'tls-of-shop')).toBe('tls-of-shop')
    expect(redactAttribute('llm.token.count', '512')).toBe('512')
    const record = { body: 'fine', attributes: { clientSecret: 'abc', note: 'password=abcdef' }, list: ['ok'] }
    expect(redactRecord(record)).toEqual({
      body: 'fine',
      attributes: { clientSecret: '<redacted:secret>', note: 'password=<redacted:password>' },
      list: ['ok'],
    })
    expect(redactRecord(record).list).toBe(record.list)
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          planted.map(({ text }) => text),
          fc.string(),
        ),
        text => {
          const once = redact(text)
          expect(redact(once)).toBe(once)
        },
      ),
      { seed: 12, numRuns: 500 },
    )
  })

  it.each([
    'block blk_-1608999687919862906 of size 67108864',
    'tokens: 512 used of 4096',
    'password=null',
    'finished task 0.0 in stage 1.0 (TID 4539148803436466)',
    'connection from 10.0.0.1:5432 refused',
    'keyboard: ready, monkey: fine',
    'authentication failure; logname= uid=0 euid=0 tty=ssh',
    'unexpected token: end of file, expected a key',
    'password: must be longer than eight characters',
    'Session 0x14ed93111f20005 closed',
    'checking org.codehaus.mojo.signature:java16:1.1',
    'libsecret-1-0:amd64 (0.16) is set up',
    'PWD=/srv/app',
    'secretName: tls-of-shop',
    'token_type=bearer expires_in=3600',
    'at 1514038530000 the job 201706092018 ended',
  ])('leaves %s alone', text => {
    expect(redact(text)).toBe(text)
  })

  it('takes out cards by their digit sum', () => {
    expect(redact('card 4111 1111 1111 1111 declined')).toBe('card <redacted:card> declined')
    expect(redact('card 4111 1111 1111 1112 declined')).toBe('card 4111 1111 1111 1112 declined')
  })

  it('is configurable', () => {
    expect(redact('mail a.b@c.org', { emails: false })).toBe('mail a.b@c.org')
    expect(redact('badge=77-secretish', { keys: ['badge'] })).toBe('badge=<redacted:secret>')
  })
})
