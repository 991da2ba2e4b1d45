import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

import { afterAll, expect, test, vi } from 'vitest'

import { createNewsBell, ringLater, silence } from './news-bell.js'

const { port1, port2 } = new MessageChannel()
const { port1: news, port2: heard } = new MessageChannel()
const bell = createNewsBell()
vi.doMock('node:worker_threads', async (original) => ({
  ...(await original<typeof import('node:worker_threads')>()),
  parentPort: port1,
  workerData: { news, bell },
}))
const { openSlotPort } = await import('./slot-port.js')

afterAll(() => {
  port2.close()
  heard.close()
})

test('a thread keeps the memory of what it says, unless that is long: V8 checks each access once a buffer was handed over', () => {
  const [short, long] = [new Uint8Array(1_000_000), new Uint8Array(8 * 2 ** 20)]
  const say = (bytes: Uint8Array<ArrayBuffer>): void =>
    openSlotPort().say({ kind: 'checkpoint', callId: 1, key: 'j/0@1.1', call: saveOf(bytes) }, [bytes.buffer])
  say(short)
  expect(short.byteLength).toBe(1_000_000)
  say(long)
  expect(long.byteLength).toBe(0)
})

test('a thread tells its main side once that there is something to hear, until that has heard', () => {
  const port = openSlotPort()
  const progress = (): void => port.say({ kind: 'progress', taskId: 'j/0', fraction: 0.5 })
  silence(bell)
  while (receiveMessageOnPort(port2)) continue
  progress()
  progress()
  expect([receiveMessageOnPort(port2), receiveMessageOnPort(port2)]).toEqual([{ message: ringLater }, undefined])
  silence(bell)
  progress()
  expect(receiveMessageOnPort(port2)).toEqual({ message: ringLater })
})

test('a thread hears what has come while its task did not give the loop back', () => {
  const heard: unknown[] = []
  const port = openSlotPort()
  port.listen((message) => heard.push(message.kind))
  port2.postMessage({ kind: 'collect' })
  port2.postMessage({ kind: 'stop', key: 'j/0@1.1', reason: '' })
  port.catchUp()
  expect(heard).toEqual(['collect', 'stop'])
})

function saveOf(bytes: Uint8Array) {
  return { kind: 'save', info: {}, structure: { kind: undefined }, bytes } as const
}
