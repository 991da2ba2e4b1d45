import fc from 'fast-check'
import { expect, test } from 'vitest'

import { SaveRequest, TransferDirection, type TransferFrame } from '#libs/proto'

import { decodeFrameMessage } from './frame-codec.js'
import { bytesOnWire } from './pair.fixture.js'

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const u53 = fc.bigInt(0n, 2n ** 53n - 1n)
const data = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
const shared = fc.option(fc.record({ slot: u32, byteLength: u32 }), { nil: undefined })
const map = fc.array(fc.tuple(fc.string(), fc.string())).map((entries) => new Map(entries))

const frame: fc.Arbitrary<NonNullable<TransferFrame['frame']>> = fc.oneof(
  fc.record({ offset: u53, crc32c: u32, data, shared }).map((value) => ({ $case: 'chunk' as const, value })),
  fc.record({ bytes: u53 }).map((value) => ({ $case: 'credit' as const, value })),
  fc.record({ digest: data }).map((value) => ({ $case: 'commit' as const, value })),
  fc
    .record({ code: u32, reason: fc.string(), message: fc.string() })
    .map((value) => ({ $case: 'abort' as const, value })),
  fc
    .record({
      requestId: fc.string(),
      sessionId: fc.string(),
      offset: u53,
      resumes: fc.boolean(),
      trace: map,
      objectId: fc.string(),
    })
    .map(({ objectId, ...rest }) => ({
      $case: 'open' as const,
      value: {
        ...rest,
        awaits: !rest.resumes,
        sources: [{ addresses: [rest.requestId], shared: undefined }],
        direction: TransferDirection.GET,
        target: { $case: 'objectId' as const, value: objectId },
      },
    })),
)
const message = fc.record({ transferId: u32, frame }).map((value) => ({ frame: value }))

test('what the hand-written codec writes, the generated one reads, and the other way round', () => {
  fc.assert(
    fc.property(message, (sent) => {
      expect(SaveRequest.decode(bytesOnWire(sent))).toEqual(sent)
      expect(decodeFrameMessage(SaveRequest.encode(sent).finish())).toEqual(sent)
    }),
  )
})

test('a chunk whose transfer id comes behind it reaches its transfer', () => {
  const chunk = { offset: 7n, crc32c: 9, data: Buffer.from('abc'), shared: undefined }
  const written = SaveRequest.encode({ frame: { transferId: 5, frame: { $case: 'chunk', value: chunk } } }).finish()
  // 0a <length> | 08 05 | 2a …: the same fields, the id last.
  const reordered = Buffer.concat([written.subarray(0, 2), written.subarray(4), written.subarray(2, 4)])
  expect(decodeFrameMessage(reordered)).toEqual({ frame: { transferId: 5, frame: { $case: 'chunk', value: chunk } } })
})

test('fields of a newer protocol are skipped', () => {
  const frame = {
    transferId: 5,
    frame: { $case: 'chunk' as const, value: { offset: 0n, crc32c: 1, data: Buffer.from('x'), shared: undefined } },
  }
  const written = bytesOnWire({ frame })
  const withNewField = Buffer.concat([written, Buffer.from([0x7a, 0x01, 0xff])])
  expect(decodeFrameMessage(withNewField)).toEqual({ frame })
  expect(decodeFrameMessage(new Uint8Array(0))).toEqual({ frame: undefined })
})
