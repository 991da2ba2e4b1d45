import { expect, test } from 'vitest'

import { flawOfCheckpointName } from './checkpoint-name.js'

test.each(['jobs/j1/tasks/7', 'a', '.hidden', 'a..b', 'größe/π'])('%s names a checkpoint', (name) => {
  expect(flawOfCheckpointName(name)).toBeUndefined()
})

test.each([
  ['', 'is empty'],
  ['../x', "the segment '..'"],
  ['a//b', "the segment ''"],
  ['a/.', "the segment '.'"],
  ['a\nb', 'cannot be printed'],
  ['x'.repeat(513), 'has 513 characters'],
])('%j does not, and why is said', (name, why) => {
  expect(flawOfCheckpointName(name)).toContain(why)
})
