import type { BinaryWriter } from '@bufbuild/protobuf/wire'
import { expect, test } from 'vitest'

import { prepareDefinition } from './service-definition.js'

/** Written as generated code does: by the writer that it is given. */
const texts = {
  encode: (text: string, writer: BinaryWriter) => {
    writer.uint32(10)
    if (text === 'broken') throw new Error('no such text')
    return writer.string(text)
  },
  decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
}

const { requestType } = prepareDefinition({
  name: 'TextService',
  fullName: 'test.v1.TextService',
  methods: {
    send: {
      ...{ name: 'Send', options: {}, requestStream: true, responseStream: true },
      ...{ requestType: texts as never, responseType: texts as never },
    },
  },
}).methods['send']!

function encode(text: string): Buffer {
  return Buffer.from(requestType.encode(text).finish())
}

test('each message has bytes of its own, however long the one before was, and whether it could be written or not', () => {
  const long = 'x'.repeat(3_000_000)
  const first = encode('first')
  expect(() => encode('broken')).toThrow('no such text')
  const second = encode(long)
  const third = encode('third')
  expect([first, third].map((bytes) => bytes.toString('latin1'))).toEqual(['\n\x05first', '\n\x05third'])
  expect(second.length).toBe(1 + 4 + long.length)
})
