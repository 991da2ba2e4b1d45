import { expect, test } from 'vitest'

import { task } from '#libs/task'

import { createInlineCluster } from './inline-cluster.js'

const double = task(import.meta, 'double', async (x: number) => {
  if (x < 0) throw new RangeError('too small')
  return 2 * x
})

test('tasks of an inline cluster are explained like those of a mesh', async () => {
  const cluster = createInlineCluster()
  const [first, second, bad] = cluster.map(double, [1, 2, -1])
  if (!first || !second || !bad) throw new Error('no futures')

  expect(await cluster.explain(second)).toBe(
    `task ${second.id} (double) waits for its turn: 1 task is before it in this process`,
  )
  await Promise.all([second.settled(), bad.settled()])
  expect(await cluster.explain(first.id)).toMatch(/\(double\) finished, having run \d+ ms$/)
  expect(await cluster.explain(bad)).toMatch(/failed, having run .*too small/)
})

test('an inline task has a story', async () => {
  const cluster = createInlineCluster()
  const future = cluster.submit(double, 1)
  expect(await cluster.story(future)).toMatchObject([{ event: 'jobSubmitted' }])
  await future.settled()

  const story = await cluster.story(future.id)
  expect(story.map(({ event }) => event)).toEqual(['jobSubmitted', 'tasksStarted', 'taskSettled'])
  expect(story[2]?.at).toBeInstanceOf(Date)
})

test('a task that is not there is said to be unknown', async () => {
  await expect(createInlineCluster().explain('j-1/0')).rejects.toMatchObject({ reason: 'TASK_NOT_FOUND' })
})
