import { expect, test } from 'vitest'

import { SlotWaits } from './slot-waits.js'

function createWait<T = void>() {
  let settle!: { resolve: (value: T) => void; reject: (error: Error) => void }
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, ...settle }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function createWaits() {
  const said: string[] = []
  const waits = new SlotWaits(new AbortController(), {
    awaits: (wait) => void said.push(`awaits ${wait}`),
    woke: (wait) => void said.push(`woke ${wait}`),
  })
  return { waits, said }
}

test('a task that does nothing but wait gives its slot up, and goes on when it has one again', async () => {
  const { waits, said } = createWaits()
  const wait = createWait<number>()
  let got: number | undefined
  const paused = waits.pause(wait.promise).then((value) => (got = value))
  await nextTurn()
  expect(said).toEqual(['awaits 1'])
  wait.resolve(7)
  await nextTurn()
  expect([...said, got]).toEqual(['awaits 1', 'woke 1', undefined])
  waits.resume(1, undefined)
  await paused
  expect(got).toBe(7)
})

test('it keeps its slot until the scheduler knows of all that it submits, or refused it', async () => {
  const { waits, said } = createWaits()
  const [first, second] = [createWait(), createWait()]
  waits.noteSubmit(first.promise)
  waits.noteSubmit(second.promise)
  void waits.pause(new Promise(() => undefined))
  await nextTurn()
  first.resolve()
  await nextTurn()
  expect(said).toEqual([])
  second.reject(new Error('refused'))
  await nextTurn()
  await nextTurn()
  expect(said).toEqual(['awaits 1'])
})

test('what comes while it still submits is no wait', async () => {
  const { waits, said } = createWaits()
  waits.noteSubmit(new Promise(() => undefined))
  expect(await waits.pause(nextTurn().then(() => 3))).toBe(3)
  expect(said).toEqual([])
})
