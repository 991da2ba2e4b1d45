import { expect, test } from 'vitest'

import { findHog } from './child-memory.js'

const sizes = (...bytes: number[]) => bytes.map((each, child) => ({ child, bytes: each }))

test('over the limit together, the process that has the most must end', () => {
  expect(findHog(100, sizes(200, 660), 1_000)).toMatchObject({ child: 1 })
})

test('under the limit together, none must', () => {
  expect(findHog(100, sizes(100, 740), 1_000)).toBeUndefined()
})

test('a process with no more than an equal part is not to blame for what the worker holds', () => {
  expect(findHog(800, sizes(100, 150), 1_000)).toBeUndefined()
})
