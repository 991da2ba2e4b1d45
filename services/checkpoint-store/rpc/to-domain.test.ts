import { expect, test } from 'vitest'

import { DigestAlgorithm, TransferDirection, type TransferHeader, type TransferOpen } from '#libs/proto'
import { readRpcFailure, type RpcFailure, tokenOf } from '#libs/rpc'

import { digestsToDomain, getToDomain, nameToDomain, pageToDomain, putToDomain } from './to-domain.js'

function failureOf(parse: () => unknown): RpcFailure {
  try {
    parse()
  } catch (error) {
    return readRpcFailure(error)
  }
  return expect.fail('was accepted')
}

test.each(['a', 'jobs/j-1/tasks/0', 'études/θ=0.5 (b)', 'x'.repeat(512), '...'])(
  "'%s' can name a checkpoint",
  (name) => {
    expect(nameToDomain(name)).toBe(name)
  },
)

test.each([
  ['', 'the name is empty'],
  ['x'.repeat(513), 'has 513 characters, but at most 512'],
  ['x'.repeat(10_000), 'has 10000 characters'],
  ['../etc/passwd', "has the segment '..'"],
  ['a/../b', "has the segment '..'"],
  ['a/./b', "has the segment '.'"],
  ['/a', "has the segment ''"],
  ['a/', "has the segment ''"],
  ['a//b', "has the segment ''"],
  ['a\nb', 'cannot be printed'],
  ['a\u0000', 'cannot be printed'],
  ['\ud800', 'cannot be printed'],
])('%j cannot name a checkpoint', (name, complaint) => {
  const failure = failureOf(() => nameToDomain(name))
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_NAME' })
  expect(failure.message).toContain(complaint)
  expect(failure.fieldViolations).toEqual([{ field: 'name', description: failure.message }])
})

const header: TransferHeader = {
  structure: undefined,
  byteLength: 0n,
  digestAlgorithm: DigestAlgorithm.SHA256,
  version: 0n,
  checkpointInfo: undefined,
  objects: [],
}

function openOf(target: TransferOpen['target'], requestId = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'): TransferOpen {
  return {
    direction: TransferDirection.PUT,
    target,
    requestId,
    offset: 0n,
    resumes: false,
    awaits: false,
    sources: [],
    sessionId: '',
    trace: new Map(),
  }
}

const digest = 'ab'.repeat(32)
const checkpoint = (name: string, labels: [string, string][] = []): TransferOpen['target'] => ({
  $case: 'checkpoint',
  value: {
    ...{ name, version: 0n, writerToken: 7n, etag: '1-abc' },
    info: { iteration: 3n, cost: undefined, labels: new Map(labels) },
  },
})

const all = { prefix: '', pageSize: 0, pageToken: '', labels: new Map<string, string>(), allVersions: false }

test('a put names a blob or a checkpoint', () => {
  expect(putToDomain(openOf({ $case: 'blobDigest', value: digest }), header)).toMatchObject({ kind: 'blob', digest })
  expect(putToDomain(openOf(checkpoint('a', [['k', 'v']])), header)).toEqual({
    kind: 'checkpoint',
    name: 'a',
    requestId: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    writerToken: 7,
    etag: '1-abc',
    info: { iteration: 3n, labels: [['k', 'v']] },
  })
})

test.each<[string, () => unknown]>([
  ['WRONG_TARGET', () => putToDomain(openOf({ $case: 'objectId', value: 'o' }), header)],
  ['WRONG_TARGET', () => putToDomain(openOf(undefined), header)],
  ['WRONG_TARGET', () => getToDomain(openOf({ $case: 'objectId', value: 'o' }))],
  ['BAD_DIGEST', () => putToDomain(openOf({ $case: 'blobDigest', value: digest.toUpperCase() }), header)],
  ['BAD_DIGEST', () => getToDomain(openOf({ $case: 'blobDigest', value: '../../etc/passwd' }))],
  ['BAD_DIGEST', () => digestsToDomain([digest, 'x'])],
  ['TOO_MANY_DIGESTS', () => digestsToDomain(Array.from({ length: 1001 }, () => digest))],
  ['BAD_REQUEST_ID', () => putToDomain(openOf(checkpoint('a'), 'not a UUID'), header)],
  ['BAD_NAME', () => putToDomain(openOf(checkpoint('..')), header)],
  ['TOO_MANY_LABELS', () => putToDomain(openOf(checkpoint('a', [['k', 'v'.repeat(1025)]])), header)],
  [
    'BAD_DIGEST_ALGORITHM',
    () =>
      putToDomain(openOf({ $case: 'blobDigest', value: digest }), {
        ...header,
        digestAlgorithm: DigestAlgorithm.XXH64,
      }),
  ],
  [
    'STRUCTURE_OF_BLOB',
    () => putToDomain(openOf({ $case: 'blobDigest', value: digest }), { ...header, structure: { kind: undefined } }),
  ],
  [
    'BAD_VERSION',
    () =>
      getToDomain(
        openOf({
          $case: 'checkpoint',
          value: { name: 'a', version: 2n ** 64n - 1n, info: undefined, writerToken: 0n, etag: '' },
        }),
      ),
  ],
  ['BAD_PAGE_TOKEN', () => pageToDomain({ ...all, pageToken: '?' })],
  ['BAD_PAGE_TOKEN', () => pageToDomain({ ...all, prefix: 'b/', pageToken: tokenOf('a/1') })],
])('what makes no sense is refused: %s', (reason, parse) => {
  expect(failureOf(parse)).toMatchObject({ code: 'INVALID_ARGUMENT', reason })
})

test('pages have 100 names unless asked otherwise, and 1,000 at most', () => {
  expect(pageToDomain({ ...all, prefix: 'a' })).toMatchObject({ prefix: 'a', after: '', limit: 100 })
  expect(pageToDomain({ ...all, prefix: 'a', pageSize: 4_000_000, pageToken: tokenOf('a/ü') })).toMatchObject({
    prefix: 'a',
    after: 'a/ü',
    limit: 1000,
  })
})
