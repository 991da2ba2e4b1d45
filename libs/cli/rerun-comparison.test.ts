import { expect, test } from 'vitest'

import { Failure, FailureKind, Task, TaskState } from '#libs/proto'
import { xxh64Of } from '#libs/transfer'
import { encodePayload, encodeValue, joinSegments } from '#libs/value'

import { compareEnds } from './rerun-comparison.js'

const there = { ...Task.fromPartial({}), workerId: 'w-1', attempt: 2 }
const encoded = (value: unknown) => encodeValue(value, 'the result')
const here = (value: unknown) => ({ kind: 'finished', result: encoded(value) }) as const
const failedHere = (message: string) => ({ kind: 'failed', errorName: 'RangeError', message }) as const

function finishedWith(value: unknown): Task {
  const payload = Buffer.from(encodePayload(encoded(value)))
  return {
    ...there,
    state: TaskState.FINISHED,
    result: { location: { $case: 'payload', value: payload }, holders: [] },
  }
}

function heldWith(value: unknown): Task {
  const body = encoded(value)
  const descriptor = {
    objectId: 'j-1/0',
    structure: body.root,
    byteLength: BigInt(body.byteLength),
    xxh64: xxh64Of([joinSegments(body)]),
  }
  return {
    ...there,
    state: TaskState.FINISHED,
    result: { location: { $case: 'object', value: descriptor }, holders: [] },
  }
}

function failedWith(message: string, state = TaskState.FAILED): Task {
  const failure = { ...Failure.fromPartial({}), kind: FailureKind.USER_ERROR, errorName: 'RangeError', message }
  return { ...there, state, failure }
}

const numbers = (last: number): Float64Array => Float64Array.from({ length: 100 }, (_, at) => (at === 99 ? last : at))

test.each([
  ['the same small result', finishedWith({ x: 1 }), here({ x: 1 }), 'same', 'bit for bit'],
  ['another small result', finishedWith({ x: 1 }), here({ x: 1 + 1e-15 }), 'different', 'with another result'],
  ['the same large result', heldWith(numbers(1)), here(numbers(1)), 'same', 'on w-1 (attempt 2)'],
  ['a large result that differs in one number', heldWith(numbers(1)), here(numbers(2)), 'different', 'another result'],
  ['a failure only here', finishedWith(1), failedHere('no'), 'different', 'and failed here'],
  ['a failure only there', failedWith('no'), here(1), 'different', 'with RangeError: no, and finished here'],
  ['the same failure', failedWith('no'), failedHere('no'), 'same', 'in the same way'],
  ['another failure', failedWith('no'), failedHere('never'), 'different', 'in another way'],
  ['a task that runs', { ...there, state: TaskState.RUNNING }, here(1), 'unsettled', 'nothing to compare'],
] as const)('%s', (_what, task, rerun, verdict, text) => {
  expect(compareEnds(task, rerun)).toMatchObject({ verdict, text: expect.stringContaining(text) as string })
})
