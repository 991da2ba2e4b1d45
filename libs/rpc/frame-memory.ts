/** Smaller buffers may come from Node's pool, and are not worth it. */
const leastBytes = 32 * 1024
/** Frames from here on have mostly one length: with the first they are of one. Shorter ones have any. */
const leastLargeBytes = 256 * 1024
const roundedLargeBytes = 64
const roundedBytes = 16 * 1024
/** What of a frame may lie around the view that is all that is needed of it. */
const mostAroundBytes = 128
/** How many frames of 512 KiB are kept, and how long when nobody takes any. */
const mostFreeBytes = 16 * 2 ** 20
const idleMs = 10_000

/** The frames that somebody has, and how long each is of its memory. */
const taken = new WeakMap<ArrayBufferLike, number>()
/** Oldest first. */
let free: ArrayBuffer[] = []
let freeBytes = 0
let idle: NodeJS.Timeout | undefined

/**
 * Memory for a frame, with whatever lay there before. It is used again once it is discarded: a fresh buffer for each counts as
 * external memory, so that V8 marks its heap all the time, and its pages must be found and cleared.
 */
export function takeFrame(byteLength: number): Buffer {
  if (byteLength < leastBytes) return Buffer.allocUnsafe(byteLength)
  const rounded = byteLength < leastLargeBytes ? roundedBytes : roundedLargeBytes
  const roundedLength = Math.ceil(byteLength / rounded) * rounded
  const at = free.findLastIndex((buffer) => buffer.byteLength === roundedLength)
  const [known] = at < 0 ? [] : free.splice(at, 1)
  if (known) freeBytes -= roundedLength
  const buffer = known ?? Buffer.allocUnsafeSlow(roundedLength).buffer
  taken.set(buffer, byteLength)
  return Buffer.from(buffer, 0, byteLength)
}

/**
 * Gives a frame's memory to the next one, when the view is nearly all of the frame: nobody may look at another view of it. Other memory is
 * left to the garbage collector. Nothing is ever detached: from the first time on V8 would ask at each access to a typed array of the
 * whole program whether its memory is still there (measured: a third more time in numeric code).
 */
export function discardBuffer(view: Uint8Array): void {
  const { buffer, byteLength } = view
  if (!(buffer instanceof ArrayBuffer)) return
  const frameLength = taken.get(buffer)
  if (frameLength === undefined || frameLength - byteLength > mostAroundBytes) return
  taken.delete(buffer)
  free.push(buffer)
  freeBytes += buffer.byteLength
  while (freeBytes > mostFreeBytes) freeBytes -= free.shift()?.byteLength ?? Infinity
  if (idle) idle.refresh()
  else idle = setTimeout(dropFree, idleMs).unref()
}

function dropFree(): void {
  free = []
  freeBytes = 0
}
