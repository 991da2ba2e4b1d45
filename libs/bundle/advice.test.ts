import { expect, test } from 'vitest'
import { describeNotATask } from './advice.js'

test('a plain function is answered with the line that declares it', () => {
  function simulate(): void {
    return
  }

  expect(describeNotATask(simulate)).toMatch(/^The function simulate is not a task\./)
  expect(describeNotATask(simulate)).toContain(
    `export const simulate = task(import.meta, 'simulate', async (params, ctx) => { … })`,
  )
})

test.each([
  [() => 0, 'An anonymous function'],
  [(() => 0).bind(null), 'The function bound '],
  [undefined, 'undefined'],
  [null, 'null'],
  ['solve', 'A string'],
  [[], 'An array'],
  [{}, 'An object'],
  [Promise.resolve(), 'A promise (of a task that was called, perhaps, rather than passed)'],
])('%s is named for what it is', (value, description) => {
  expect(describeNotATask(value)).toContain(`${description} is not a task.`)
  expect(describeNotATask(value)).toContain(`export const solve = task(import.meta, 'solve'`)
})
