import { expect, test } from 'vitest'

import { createFrameSender } from './frame-sender.js'
import { createFrameReader, framesOf } from './message-frames.js'

function pass(...messages: unknown[]): unknown[] {
  const heard: unknown[] = []
  const read = createFrameReader((message) => heard.push(message))
  for (const message of messages) for (const frame of framesOf(message)) read(Uint8Array.from(frame))
  return heard
}

test('a message comes through with its maps, big integers, and arrays of any length', () => {
  const large = Uint8Array.from({ length: 9_000_001 }, (_, i) => i % 251)
  const message = { seed: 7n, inputs: new Map([['a', { bytes: new Uint8Array([1, 2]) }]]), empty: new Uint8Array(0) }
  const [first, second] = pass({ message, large }, { kind: 'stop' }) as [
    { message: unknown; large: Uint8Array },
    unknown,
  ]
  expect(first.message).toEqual(message)
  expect(Buffer.compare(first.large, large)).toBe(0)
  expect(second).toEqual({ kind: 'stop' })
})

test('large bodies travel in pieces beside the message', () => {
  const frames = framesOf({ bytes: new Uint8Array(10 * 2 ** 20) })
  expect(frames.map(({ byteLength }) => byteLength > 2 ** 20)).toEqual([false, true, true, true])
})

test('what comes through shares no memory, and floats can be read from it in place', () => {
  const view = new Uint8Array(new ArrayBuffer(100), 3, 16)
  const [heard] = pass([view, view.subarray(), new Uint8Array(300_000)]) as [Uint8Array<ArrayBuffer>[]]
  const buffers = heard.map(({ buffer }) => buffer)
  expect(buffers.map(({ byteLength }) => byteLength)).toEqual([16, 16, 300_000])
  expect(heard.every(({ byteOffset }) => byteOffset === 0)).toBe(true)
  expect(buffers[0]).not.toBe(buffers[1])
})

test('no more than a channel can take is under way, in order, and the end is told', async () => {
  const written: { readonly bytes: number; readonly done: () => void }[] = []
  const sender = createFrameSender(({ byteLength }, done) => written.push({ bytes: byteLength, done }))
  sender.send({ bytes: new Uint8Array(40 * 2 ** 20) })
  const last = framesOf({ kind: 'last' })[0]?.byteLength
  sender.send({ kind: 'last' })
  let flushed = false
  const flushing = sender.flushed().then(() => (flushed = true))
  expect(written.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(16 * 2 ** 20)
  for (const { done } of written) done()
  await flushing
  expect(flushed).toBe(true)
  expect(written).toHaveLength(12)
  expect(written.at(-1)?.bytes).toBe(last)
})
