import { expect, test } from 'vitest'

import { createMesh, type Mesh } from './testing/mesh.js'
import { storyOf } from './story.js'
import { createStoryNotes } from './story-notes.js'
import { createStoryRing } from './story-ring.js'

function storyIn(mesh: Mesh, name: string): string[] {
  return storyOf(mesh.task(name), mesh.notes.recordsOf(mesh.task(name))).map(({ text }) => text)
}

test('a task that runs as it should has a short story', () => {
  const mesh = createMesh()
  mesh.submit(['a'])
  mesh.pass(40)
  mesh.workers(1)
  mesh.start('a')
  mesh.pass(100)
  mesh.finish('a', { runMs: 100 })

  expect(storyIn(mesh, 'a')).toEqual([
    'its job was submitted',
    'sent to w1 as attempt 1, after 40 ms in the queue',
    'began to run on w1',
    'finished in attempt 1 on w1, having run 100 ms',
  ])
  expect(storyOf(mesh.task('a'), mesh.notes.recordsOf(mesh.task('a')))[1]).toMatchObject({
    event: 'runTask',
    attempt: 1,
    workerId: 'w1',
  })
})

test('the story says how an attempt was lost with its worker, and where the next one went', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.start('a')
  mesh.lose('w1')
  mesh.workers(1)
  mesh.start('a')
  mesh.fail('a', { message: 'no convergence' })

  expect(storyIn(mesh, 'a')).toEqual([
    'its job was submitted',
    'sent to w1 as attempt 1, after 0 ms in the queue',
    'began to run on w1',
    'the link of w1 broke',
    'w1 was given up: worker w1 was lost (its link broke)',
    'attempt 1 was lost',
    'sent to w2 as attempt 2, after 0 ms in the queue',
    'began to run on w2',
    'failed in attempt 2 on w2, having run 100 ms: no convergence',
  ])
})

test('a worker that comes back in time, and a cancel, are told', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.start('a')
  mesh.cut('w1')
  mesh.join('w1', { attempts: [mesh.ref('a')] })
  mesh.cancel('a')

  expect(storyIn(mesh, 'a').slice(3)).toEqual([
    'the link of w1 broke',
    'w1 linked, and has attempt 1',
    'somebody asked to cancel it: test',
    'w1 was told to stop attempt 1: test',
    'was cancelled: test',
  ])
})

test('attempts whose inputs could not be fetched, and lost results, are told', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', ['b', 'a']])
  mesh.finish('a', { bytes: 100 })
  mesh.missInputs('b')
  mesh.lose('w1')

  expect(storyIn(mesh, 'b')).toContain('attempt 1 ended on w1 and did not count: the holder does not answer')
  expect(storyIn(mesh, 'a')).toContain('its result was lost with the last worker that held it, and is computed again')
})

test('other tasks, and workers that the task was not on, are no part of its story', () => {
  const mesh = createMesh()
  mesh.workers(2)
  mesh.submit(['a', 'b'])
  mesh.start('a')
  mesh.cut('w2')
  mesh.finish('a')
  mesh.cut('w1')

  expect(storyIn(mesh, 'a')).toHaveLength(4)
})

test('submit and settle survive a restart; what was between is said to be forgotten', () => {
  const mesh = createMesh()
  mesh.workers(1)
  mesh.submit(['a'])
  mesh.pass(1_000)
  mesh.start('a')
  mesh.finish('a', { runMs: 30 })
  mesh.restart()

  expect(storyIn(mesh, 'a')).toEqual([
    'its job was submitted',
    'what came then is forgotten: the scheduler was restarted, or remembers what is newer',
    'began to run on w1',
    'finished in attempt 1 on w1, having run 30 ms',
  ])
})

test('only the newest is remembered, and a long message is told whole once the task is settled', () => {
  const notes = createStoryNotes(createStoryRing(3))
  const mesh = createMesh()
  mesh.notes = notes
  mesh.workers(1)
  mesh.submit(['a', 'b'])
  mesh.start('a')
  const message = 'x'.repeat(1_000)
  mesh.fail('a', { message })
  expect(notes.recordsOf(mesh.task('a')).map(({ detail }) => detail)).toEqual([undefined, 'TASK_THREW'])
  expect(storyIn(mesh, 'a').at(-1)).toContain(message)

  mesh.start('b')
  mesh.fail('b')
  expect(notes.recordsOf(mesh.task('a'))).toEqual([])
  expect(storyIn(mesh, 'a').at(-1)).toContain(message)
})
