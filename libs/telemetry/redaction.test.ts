import { expect, test } from 'vitest'

import { redact } from './redaction.js'

test('credentials are gone at any depth and in any spelling, numbers with such names stay', () => {
  const fields = {
    metadata: [
      { Authorization: 'Bearer abc', 'x-mesh-token': 'abc', nested: { client_secret: ['abc'], apiKey: { id: 'abc' } } },
    ],
    fencingToken: 7,
    tokenCount: 3,
    payload: { data: 'abc' },
    path: '/tmp/abcdef',
  }
  const redacted = redact(fields)
  expect(redacted).toEqual({
    metadata: [
      {
        Authorization: '[redacted]',
        'x-mesh-token': '[redacted]',
        nested: { client_secret: '[redacted]', apiKey: '[redacted]' },
      },
    ],
    fencingToken: 7,
    tokenCount: 3,
    payload: '[redacted]',
    path: '/tmp/abcdef',
  })
  expect(fields.payload).toEqual({ data: 'abc' })
})

test('data becomes its type and size', () => {
  expect(
    redact({
      array: new Float64Array(1000),
      bytes: Buffer.from('secret'),
      shared: new SharedArrayBuffer(16),
      list: Array.from({ length: 1000 }, (_, i) => i),
      map: new Map([['a', 1]]),
      text: 'x'.repeat(10_000),
      big: 2n ** 70n,
    }),
  ).toEqual({
    array: '[Float64Array of 8000 bytes]',
    bytes: '[Buffer of 6 bytes]',
    shared: '[SharedArrayBuffer of 16 bytes]',
    list: [...Array.from({ length: 100 }, (_, i) => i), '… (1000 elements)'],
    map: '[Map of 1]',
    text: `${'x'.repeat(8192)}… (10000 characters)`,
    big: '1180591620717411303424',
  })
})

test('errors keep type, message, stack and cause, and lose the credentials they carry', () => {
  const error = Object.assign(new TypeError('no route', { cause: new Error('refused') }), {
    metadata: { toJSON: () => ({ authorization: ['Bearer abc'] }) },
    code: 14,
  })
  expect(redact({ err: error })).toEqual({
    err: {
      type: 'TypeError',
      message: 'no route',
      stack: expect.stringContaining('TypeError: no route') as string,
      cause: { type: 'Error', message: 'refused', stack: expect.any(String) as string },
      metadata: { authorization: '[redacted]' },
      code: 14,
    },
  })
})

test('a ring of objects ends', () => {
  const ring: Record<string, unknown> = { name: 'ring' }
  ring['self'] = ring
  expect(JSON.stringify(redact(ring))).toContain('[nested too deep]')
})
