import { type Bytes, partOf } from './bytes.js'
import { findLibC } from './libc.js'

/** From here on another thread is worth asking. */
const leastBytes = 8 * 2 ** 20
/** How much is asked for at once, and how far ahead of what is written: a body that comes slowly takes memory as it comes. */
const stepBytes = 8 * 2 ** 20
const aheadBytes = 32 * 2 ** 20

/**
 * Has the pages of fresh memory found and cleared in another thread while what comes first is written. The answer is told how far the
 * memory is written. The system takes 0.1 to 2 s for a gigabyte of pages: the first for those that were free for a moment, the last
 * in a virtual machine whose host has to find them, too.
 */
export function touchAhead(bytes: Bytes): (writtenBytes: number) => void {
  const libc = bytes.byteLength >= leastBytes ? findLibC() : undefined
  if (libc === undefined) return () => undefined
  let touched = 0
  let wanted = 0
  let isBusy = false
  const touchNext = (): void => {
    if (isBusy || touched >= wanted) return
    isBusy = true
    const start = touched
    touched = Math.min(start + stepBytes, bytes.byteLength)
    libc.populate(partOf(bytes, start, touched), () => {
      isBusy = false
      touchNext()
    })
  }
  const tell = (writtenBytes: number): void => {
    touched = Math.max(touched, writtenBytes)
    wanted = Math.min(writtenBytes + aheadBytes, bytes.byteLength)
    touchNext()
  }
  tell(0)
  return tell
}
