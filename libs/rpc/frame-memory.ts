import { MessageChannel } from 'node:worker_threads'

/** Smaller buffers may come from Node's pool, and are not worth it. */
const leastBytes = 32 * 1024
/** Frames from here on are made of memory that was used before. */
const leastPooledBytes = 256 * 1024
/** What is sent in pieces has frames of nearly one length: with this they are of one. */
const roundedBytes = 64
/** What of a frame may lie around the view that is all that is needed of it. */
const mostAroundBytes = 2 * roundedBytes
/** How many frames of 512 KiB are kept: what a process at rest holds for it. */
const mostFreeBytes = 8 * 2 ** 20

const { port1: nowhere, port2: closed } = new MessageChannel()
closed.close()
nowhere.unref()

/** All memory of large frames, and what of it somebody has. */
const pooled = new WeakSet<ArrayBuffer>()
const taken = new WeakSet<ArrayBuffer>()
/** Oldest first. */
const free: ArrayBuffer[] = []
let freeBytes = 0

/**
 * Memory for a frame, with whatever lay there before. Of large ones it is used again once they are discarded: a fresh buffer for each
 * counts as external memory, so that V8 marks its heap all the time, and its pages must be found and cleared.
 */
export function takeFrame(byteLength: number): Buffer {
  if (byteLength < leastPooledBytes) return Buffer.allocUnsafe(byteLength)
  const roundedLength = Math.ceil(byteLength / roundedBytes) * roundedBytes
  const at = free.findLastIndex((buffer) => buffer.byteLength === roundedLength)
  const [known] = at < 0 ? [] : free.splice(at, 1)
  if (known) freeBytes -= roundedLength
  const buffer = known ?? new ArrayBuffer(roundedLength)
  pooled.add(buffer)
  taken.add(buffer)
  return Buffer.from(buffer, 0, byteLength)
}

/**
 * Gives the memory behind a view back at once, when the view is nearly all of it: nobody may hold another view of that memory. What is
 * left to the garbage collector is not used again before 30 MB more of it lie around, so each message would be copied into pages
 * that the system must find and clear first (measured: 0.6 s/GB against 0.04), and the collections cost as much again.
 */
export function discardBuffer(view: Uint8Array): void {
  const { buffer, byteLength } = view
  if (!(buffer instanceof ArrayBuffer) || byteLength < leastBytes) return
  if (pooled.has(buffer)) {
    if (buffer.byteLength - byteLength <= mostAroundBytes && taken.delete(buffer)) keep(buffer)
  } else if (buffer.byteLength - byteLength <= roundedBytes) {
    // Moved to a port that nobody listens to: the only way in Node 20 to free an ArrayBuffer.
    nowhere.postMessage(undefined, [buffer])
  }
}

function keep(buffer: ArrayBuffer): void {
  free.push(buffer)
  freeBytes += buffer.byteLength
  while (freeBytes > mostFreeBytes) {
    const oldest = free.shift()
    if (oldest === undefined) return
    freeBytes -= oldest.byteLength
    nowhere.postMessage(undefined, [oldest])
  }
}
