import { expect, test } from 'vitest'
import { readRequestId } from './request-id.js'
import { readRpcFailure } from './status.js'

const id = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'

test('an id is a UUID, the same in any letters', () => {
  expect(readRequestId(id)).toBe(id)
  expect(readRequestId(id.toUpperCase())).toBe(id)
})

test('who sends none makes another request each time', () => {
  expect(readRequestId('')).toMatch(/^[0-9a-f-]{36}$/)
  expect(readRequestId('')).not.toBe(readRequestId(''))
})

test.each(['r', `${id} `, 'x'.repeat(10_000)])('%s is refused, with the field', (text) => {
  let failure
  try {
    readRequestId(text, 'open.request_id')
  } catch (error) {
    failure = readRpcFailure(error)
  }
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_REQUEST_ID' })
  expect(failure?.fieldViolations?.[0]?.field).toBe('open.request_id')
})
