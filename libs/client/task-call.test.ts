import { expect, test } from 'vitest'

import { type ArgumentEncoder, createArgumentEncoder } from '#libs/submission'

import { taskCall } from './task-call.js'

const terms = { function: 0, name: 'solve', timeout: undefined, needs: 2, retryPolicy: 1 }

/** One that must not be asked yet. */
const noEncoder: ArgumentEncoder = {
  blobs: new Map(),
  encode: () => {
    throw new Error('encoded too early')
  },
}

test.each([[1.5, 'a', true, null], [], [NaN, -0]])(
  'arguments that nobody can change are encoded when the call is sent, once',
  (...args) => {
    const call = taskCall(terms, args, noEncoder, 'solve')
    expect(call).toMatchObject(terms)
    expect([...call.input]).toEqual([...createArgumentEncoder().encode(args, 'solve')])
    expect(call.input).toBe(call.input)
  },
)

test('what the program may change is read when the call is made', () => {
  const problem = { mass: 1 }
  const call = taskCall(terms, [problem, 2], createArgumentEncoder(), 'solve')
  problem.mass = 3
  expect([...call.input]).toEqual([...createArgumentEncoder().encode([{ mass: 1 }, 2], 'solve')])
})

test('what may be refused is refused when the call is made', () => {
  const encoder = createArgumentEncoder()
  expect(() => taskCall(terms, [Symbol('x')], encoder, 'solve')).toThrow('cannot travel')
  expect(() => taskCall(terms, ['x'.repeat(2 ** 21)], encoder, 'solve')).toThrow('takes 2.1 MB')
  expect(() => taskCall(terms, ['\ud800'], encoder, 'solve')).toThrow('lone surrogate')
})
