import { framesOf } from './message-frames.js'

/** No more than this is on its way into a channel at once: what is written to one is copied. */
const mostBytesUnderWay = 16 * 2 ** 20

/** Sends messages through a channel between processes, one after the other. */
export interface FrameSender {
  send(message: unknown): void
  /** Resolves when all that was sent has left this process. */
  flushed(): Promise<void>
}

/** `write` calls back when the frame has left; a channel that is closed swallows what it gets. */
export function createFrameSender(write: (frame: Uint8Array, written: () => void) => void): FrameSender {
  let waiting: Uint8Array[] = []
  let bytesUnderWay = 0
  let framesUnderWay = 0
  const listeners: (() => void)[] = []

  function pump(): void {
    let sent = 0
    for (const frame of waiting) {
      if (framesUnderWay > 0 && bytesUnderWay + frame.byteLength > mostBytesUnderWay) break
      sent++
      framesUnderWay++
      bytesUnderWay += frame.byteLength
      write(frame, () => {
        framesUnderWay--
        bytesUnderWay -= frame.byteLength
        if (waiting.length > 0) pump()
        if (framesUnderWay > 0) return
        for (const listener of listeners.splice(0)) listener()
      })
    }
    waiting = waiting.slice(sent)
  }

  return {
    send: (message) => {
      waiting.push(...framesOf(message))
      pump()
    },
    flushed: () =>
      new Promise((resolve) => {
        if (framesUnderWay === 0) resolve()
        else listeners.push(resolve)
      }),
  }
}
