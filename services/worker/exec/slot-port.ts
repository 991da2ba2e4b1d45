import { types } from 'node:util'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'

import { createFrameReader } from './message-frames.js'
import { createFrameSender } from './frame-sender.js'
import { failureOf } from './failure-of.js'
import { raise, ringLater, ringNow } from './news-bell.js'
import { endWithParent } from './parent-watch.js'
import type { FromSlot, ToSlot } from './slot-messages.js'
import type { ThreadShare } from './thread-host.js'

/** The way to the worker's main side, from a thread of it or from a process below it. */
export interface SlotPort {
  say(message: FromSlot, transfer?: readonly ArrayBuffer[]): void
  listen(hear: (message: ToSlot) => void): void
  /** Hears what has come while a task did not give the loop back; a process hears it with the next turn of its loop only. */
  catchUp(): void
  /** Resolves when what was said is on its way, so that a task which does not give the loop back cannot hold it up; nothing when it is. */
  flushed(): Promise<void> | undefined
}

export function openSlotPort(): SlotPort {
  if (parentPort !== null) return threadPort(parentPort, workerData as ThreadShare)
  if (process.send !== undefined) return processPort(process.send.bind(process))
  throw new Error('slot-main runs in a thread or a process of a worker only')
}

/**
 * Shorter buffers are copied. From the first one on that a thread hands over, V8 asks at every access to an element of a typed array
 * whether its memory is still there, in all code of that thread: the sweep of the main job computed for 12.2 s instead of 9.3.
 */
const leastMovedBytes = 8 * 2 ** 20

function threadPort(port: NonNullable<typeof parentPort>, { news, bell }: ThreadShare): SlotPort {
  let hear: (message: ToSlot) => void = () => undefined
  return {
    say: (message, transfer = []) => {
      news.postMessage(
        message,
        transfer.filter((buffer) => buffer.byteLength >= leastMovedBytes && !types.isSharedArrayBuffer(buffer)),
      )
      const ring = mayWait(message) ? ringLater : ringNow
      if (raise(bell, ring)) port.postMessage(ring)
    },
    listen: (heard) => {
      hear = heard
      port.on('message', heard)
    },
    catchUp: () => {
      for (let come = receiveMessageOnPort(port); come; come = receiveMessageOnPort(port)) hear(come.message as ToSlot)
    },
    flushed: () => undefined,
  }
}

/** Whether nobody need act on it before something else is said. */
function mayWait(message: FromSlot): boolean {
  return message.kind === 'progress' || (message.kind === 'turn' && message.mayWait === true)
}

function processPort(send: NonNullable<typeof process.send>): SlotPort {
  endWithParent()
  const sender = createFrameSender((frame, written) => {
    // The main side may be gone; the callback hears of it, and this process is about to end.
    send(frame, undefined, undefined, written)
  })
  const say = (message: FromSlot): void => sender.send(message)
  // Tasks have no part in this channel.
  delete process.send
  process.on('uncaughtException', (error) => {
    say({ kind: 'broken', failure: failureOf(error) })
    void sender.flushed().then(() => process.exit(1))
  })
  return {
    say,
    listen: (hear) => process.on('message', createFrameReader(hear as (message: unknown) => void) as never),
    catchUp: () => undefined,
    flushed: () => sender.flushed(),
  }
}
