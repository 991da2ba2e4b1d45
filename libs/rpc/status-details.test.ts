import fc from 'fast-check'
import { ServerError, Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'
import { readRpcFailure, rpcError, statusBytesOf } from './status.js'
import { decodeStatusDetails, encodeStatus } from './status-details.js'
import { fitWireText } from './wire-text.js'

const anyText = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', maxLength: 2 }), fc.constant('\ud800')) })
const pairs = fc.array(fc.record({ field: anyText, description: anyText }), { maxLength: 100 })

test('details of any content decode, keep their reason, and stay small', () => {
  fc.assert(
    fc.property(
      anyText,
      fc.dictionary(anyText, anyText),
      fc.option(fc.nat()),
      pairs,
      (message, metadata, delay, fields) => {
        const retryDelayMs = delay ?? undefined
        const details = { reason: 'SOME_REASON', metadata, retryDelayMs, fieldViolations: fields }
        const bytes = encodeStatus(13, message, details)
        expect(bytes.length).toBeLessThan(4_300)
        expect(decodeStatusDetails(bytes)).toMatchObject({ reason: 'SOME_REASON', retryDelayMs })
      },
    ),
  )
})

test('any bytes decode to details or to nothing, never to an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeStatusDetails(bytes)
    }),
  )
})

test('fitted text can be percent-encoded and keeps to its limit; short well-formed text is untouched', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 20, max: 200 }), (text, limit) => {
      const fitted = fitWireText(text, limit)
      expect(encodeURI(fitted).length).toBeLessThanOrEqual(limit)
      if (!/[\ud800-\udfff]/.test(text) && encodeURI(text).length <= limit) expect(fitted).toBe(text)
    }),
  )
})

test('google.rpc.Status is written as its proto says', () => {
  const bytes = encodeStatus(8, 'full', {
    reason: 'QUEUE_FULL',
    metadata: { q: 'a' },
    retryDelayMs: 1_500,
    fieldViolations: [{ field: 'f', description: 'd' }],
  })
  // protoc --encode=google.rpc.Status with the three details packed into google.protobuf.Any.
  const any = (type: string, content: Buffer) => {
    const url = Buffer.from(`type.googleapis.com/google.rpc.${type}`)
    const body = Buffer.concat([Buffer.from([0x0a, url.length]), url, Buffer.from([0x12, content.length]), content])
    return Buffer.concat([Buffer.from([0x1a, body.length]), body])
  }
  expect(Buffer.from(bytes)).toEqual(
    Buffer.concat([
      Buffer.from('08081204', 'hex'),
      Buffer.from('full'),
      any('ErrorInfo', Buffer.from('\x0a\x0aQUEUE_FULL\x12\x07costate\x1a\x06\x0a\x01q\x12\x01a')),
      any('RetryInfo', Buffer.from('0a0808011080cab5ee01', 'hex')),
      any('BadRequest', Buffer.from('\x0a\x06\x0a\x01f\x12\x01d')),
    ]),
  )
})

test('a failure can be read from whatever was thrown', () => {
  const bare = { reason: undefined, metadata: {}, retryDelayMs: undefined }
  expect(readRpcFailure(rpcError('ABORTED', 'FENCED', 'old epoch', { retryDelayMs: 5 }))).toEqual({
    code: 'ABORTED',
    reason: 'FENCED',
    message: 'old epoch',
    metadata: {},
    retryDelayMs: 5,
  })
  const plain = new ServerError(Status.NOT_FOUND, 'gone')
  expect(readRpcFailure(plain)).toEqual({ ...bare, code: 'NOT_FOUND', message: 'gone' })
  const aborted = AbortSignal.abort().reason as unknown
  expect(readRpcFailure(aborted)).toMatchObject({ ...bare, code: 'CANCELLED' })
  expect(readRpcFailure(new Error('socket'))).toEqual({ ...bare, code: 'UNKNOWN', message: 'socket' })
  expect(readRpcFailure('text')).toEqual({ ...bare, code: 'UNKNOWN', message: 'text' })
  expect(readRpcFailure(undefined)).toMatchObject({ code: 'UNKNOWN' })
})

test('a reason is UPPER_SNAKE', () => {
  for (const reason of ['', 'lower', 'WITH SPACE', '1ST', 'A'.repeat(64)]) {
    expect(() => rpcError('ABORTED', reason, 'x')).toThrow(TypeError)
  }
})

test('every kind of detail comes back as it was given', () => {
  const extra = {
    metadata: { jobId: 'j1' },
    retryDelayMs: 2_500,
    fieldViolations: [{ field: 'job.tasks[3]', description: 'calls no function' }],
    resource: { type: 'costate.job', name: 'j1' },
    preconditions: [{ type: 'WORKER_IDLE', subject: 'w1', description: 'it runs 3 tasks' }],
    quotas: [{ subject: 'tasks', description: 'at most 5' }],
  }
  const error = rpcError('FAILED_PRECONDITION', 'SOME_REASON', 'why', extra)
  const details = decodeStatusDetails(statusBytesOf(error) ?? new Uint8Array())
  expect(details).toEqual({ reason: 'SOME_REASON', ...extra })
  expect(readRpcFailure(error)).toMatchObject(extra)
})

test('what is exhausted always says when to come back', () => {
  expect(readRpcFailure(rpcError('RESOURCE_EXHAUSTED', 'DISK_FULL', 'full')).retryDelayMs).toBe(1_000)
  expect(readRpcFailure(rpcError('RESOURCE_EXHAUSTED', 'X', 'x', { retryDelayMs: 9 })).retryDelayMs).toBe(9)
  expect(readRpcFailure(rpcError('INTERNAL', 'X', 'x')).retryDelayMs).toBeUndefined()
})

test('however many violations there are, all trailers stay small', () => {
  const text = 'ü'.repeat(2_000)
  const error = rpcError('RESOURCE_EXHAUSTED', 'X', text, {
    metadata: { text, more: text },
    fieldViolations: Array.from({ length: 50 }, () => ({ field: text, description: text })),
    resource: { type: text, name: text },
    preconditions: Array.from({ length: 50 }, () => ({ type: text, subject: text, description: text })),
    quotas: Array.from({ length: 50 }, () => ({ subject: text, description: text })),
  })
  expect(statusBytesOf(error)?.length).toBeLessThan(4_500)
})
