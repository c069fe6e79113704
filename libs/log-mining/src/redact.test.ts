import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact } from './redact.ts'

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
    'at 1514038530000 the job 201706092018 ended',
  ])('leaves %s alone', text => {
    expect(redact(text)).toBe(text)
  })

  it('takes out cards by their digit sum', () => {
    expect(redact('card 4111 1111 1111 1111 declined')).toBe('card [redacted card] declined')
    expect(redact('card 4111 1111 1111 1112 declined')).toBe('card 4111 1111 1111 1112 declined')
  })

  it('is configurable', () => {
    expect(redact('mail a.b@c.org', { emails: false })).toBe('mail a.b@c.org')
    expect(redact('badge=77-secretish', { keys: ['badge'] })).toBe('badge=[redacted]')
  })
})
