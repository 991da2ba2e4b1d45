import { expect, test } from 'vitest'

import { createDigestLocks } from './digest-locks.js'

/** Work that ends when it is told to. */
function createWork(log: string[], name: string): { run: () => Promise<string>; end: () => void } {
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  const run = async (): Promise<string> => {
    log.push(`${name} begins`)
    await ended
    log.push(`${name} ends`)
    return name
  }
  return { run, end }
}

test('work on one digest runs one after the other, on different ones side by side', async () => {
  const locks = createDigestLocks()
  const log: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map((name) => createWork(log, name)) as [Work, Work, Work]
  const first = locks.hold(['x'], a.run)
  const second = locks.hold(['x'], b.run)
  const third = locks.hold(['y'], c.run)
  c.end()
  expect(await third).toBe('c')
  expect(log).toEqual(['a begins', 'c begins', 'c ends'])
  a.end()
  b.end()
  await Promise.all([first, second])
  expect(log.slice(3)).toEqual(['a ends', 'b begins', 'b ends'])
})

test('two that need the same two digests in opposite order do not wait for each other', async () => {
  const locks = createDigestLocks()
  const done = [
    locks.hold(['x', 'y'], async () => 1),
    locks.hold(['y', 'x'], async () => 2),
    locks.hold(['x', 'x'], async () => 3),
  ]
  expect(await Promise.all(done)).toEqual([1, 2, 3])
})

test('work that fails lets the next one in', async () => {
  const locks = createDigestLocks()
  const failing = locks.hold(['x'], () => Promise.reject(new Error('disk')))
  const next = locks.hold(['x'], async () => 'in')
  await expect(failing).rejects.toThrow('disk')
  expect(await next).toBe('in')
})

type Work = ReturnType<typeof createWork>
