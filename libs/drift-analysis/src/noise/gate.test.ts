import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DeclaredResource, realDifferences } from './gate.ts'
import { compare, type Json, type JsonObject } from './same-value.ts'

const found = (declared: JsonObject, live: JsonObject, over: Partial<DeclaredResource> = {}) =>
  realDifferences({
    type: 'Cloud::Thing',
    declared,
    live,
    schema: { readOnly: ['Arn'], writeOnly: ['Boot.Script'], createOnly: ['Engine'], defaults: { Days: 7 } },
    own: ['my-thing', '123456789012', 'eu-west-3'],
    siblings: ['FromSibling'],
    ...over,
  }).map(d => `${d.kind} ${d.path}`)

describe('what is written back in other words is no drift', () => {
  const same: [string, Json, Json][] = [
    ['order of a list', ['b', 'a'], ['a', 'b']],
    ['order of objects in a list', [{ A: 1 }, { A: 2, B: 3 }], [{ B: 3, A: 2 }, { A: 1 }]],
    ['number as text', 20, '20'],
    ['yes as text', true, 'true'],
    ['case', 'tcp', 'TCP'],
    ['hyphens and case', 'round-robin', 'ROUND_ROBIN'],
    ['a list of one', ['s3:Get'], 's3:Get'],
    ['JSON as text', '{"b":1,"a":[2]}', { a: [2], b: 1 }],
    ['a name for an address', 'arn:aws:lambda:eu-west-3:123456789012:function:pay', 'pay'],
    ['one address as a network', '10.1.2.3', '10.1.2.3/32'],
    ['blanks', 'a  b\n', 'a b'],
    ['nothing', [], null],
    ['a dot at the end', 'shop.example.', 'shop.example'],
  ]
  for (const [name, declared, live] of same) it(name, () => expect(found({ Value: declared }, { Value: live })).toEqual([]))
  it('a version that is kept up to date', () => expect(found({ EngineRelease: '8.0' }, { EngineRelease: '8.0.41' })).toEqual([]))
  it('what is computed, hidden, or cannot change', () =>
    expect(found({ Engine: 'x', Boot: { Script: 'run' }, AdminPassword: 'p' }, { Engine: 'y', Arn: 'arn:z', Boot: {} })).toEqual(
      [],
    ))
  it('what the provider fills in', () =>
    expect(
      found(
        { Name: 'a' },
        {
          Name: 'a',
          Arn: 'arn:aws:x',
          RetentionSeconds: 345600,
          AutoUpgrade: true,
          Owner: '123456789012',
          Days: 7,
          Status: 'ACTIVE',
          Group: 'default',
          Tags: [{ Key: 'aws:stack', Value: 'q' }],
          Extra: [{ PolicyName: 'FromSibling', Document: {} }],
        },
      ),
    ).toEqual([]))
})

describe('what someone changed is told', () => {
  it('values, elements and blocks', () => {
    expect(found({ Size: 2 }, { Size: 4 })).toEqual(['changed Size'])
    expect(found({ Cidrs: ['10.0.0.0/8'] }, { Cidrs: ['10.0.0.0/8', '0.0.0.0/0'] })).toEqual(['added Cidrs'])
    expect(found({ Cidrs: ['10.0.0.0/8', '192.168.0.0/16'] }, { Cidrs: ['10.0.0.0/8'] })).toEqual(['removed Cidrs'])
    expect(found({ Cors: { Rules: [{ Origin: '*' }] } }, {})).toEqual(['removed Cors'])
    expect(found({ Env: { Variables: { A: '1' } } }, { Env: { Variables: { A: '1', B: '2' } } })).toEqual([
      'added Env.Variables.B',
    ])
  })
  it('off a default that the schema tells, a protection taken away, a boundary put on', () => {
    expect(found({}, { Days: 14 })).toEqual(['added Days'])
    expect(found({}, { HealthCheckEnabled: false })).toEqual(['added HealthCheckEnabled'])
    expect(found({}, { DeletionGuard: true, PermissionsBoundary: 'arn:aws:iam::aws:policy/ReadOnly' })).toEqual([
      'added DeletionGuard',
      'added PermissionsBoundary',
    ])
    expect(found({}, { SessionSeconds: 7200 })).toEqual(['added SessionSeconds'])
  })
  it('an alias of a key counts by the key it stands for', () => {
    const live = { KeyId: 'arn:aws:kms:eu-west-3:1:key/aaaa' }
    expect(found({ KeyId: 'alias/pay' }, live, { aliases: { 'alias/pay': 'aaaa' } })).toEqual([])
    expect(found({ KeyId: 'alias/pay' }, live, { aliases: { 'alias/pay': 'bbbb' } })).toEqual(['changed KeyId'])
  })
  it('what could not be worked out is not compared', () =>
    expect(
      found({ Ref: '<later>', List: ['<later>', 'a'] }, { Ref: 'x', List: ['a', 'q'] }, { unresolved: v => v === '<later>' }),
    ).toEqual([]))
})

describe('any values', () => {
  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>
  const options = { skip: () => false, filledIn: () => false }
  it('a value is as it is', () => {
    fc.assert(
      fc.property(json, value => {
        expect(compare(value, structuredClone(value), options)).toEqual([])
      }),
    )
  })
  it('any two are compared without a throw', () => {
    fc.assert(fc.property(json, json, (a, b) => void compare(a, b, options)))
  })
})
