import { Status } from 'nice-grpc-common'

import {
  allocateLarge,
  type Bytes,
  findReusedMemory,
  partOf,
  touchAhead,
  type UnseenMemory,
  writeBytes,
} from '#libs/memory'
import { Durability, type TransferReceipt, type Value } from '#libs/proto'

import type { Sink } from './endpoint.js'
import { lend } from './lent-memory.js'
import { tokenBytes } from './slot-marks.js'
import { TransferError } from './transfer-error.js'

/** A body that came in: the bytes start at an 8-byte boundary, so typed arrays can be views of them. */
export interface ReceivedBody {
  readonly structure: Value | undefined
  readonly bytes: Bytes<ArrayBuffer>
}

/** A sink whose memory others may read as far as it is written. */
export interface MemorySink extends Sink {
  readonly bytes: Bytes<ArrayBuffer>
}

/**
 * A sink in fresh memory of the announced length; `keep` gets the whole body once it is checked.
 *
 * @throws TransferError RESOURCE_EXHAUSTED when there is no memory of that length.
 */
export function createMemorySink(
  header: { structure?: Value | undefined; byteLength: bigint },
  keep: (body: ReceivedBody, digest: Buffer) => void | Promise<void>,
): MemorySink {
  const { bytes, isWarm } = allocate(Number(header.byteLength))
  const { place, write } = writeInto(() => bytes, isWarm)
  return {
    bytes,
    place,
    write,
    commit: async (digest) => {
      await keep({ structure: header.structure, bytes }, digest)
      findReusedMemory()?.prepare()
      return received
    },
    abort: () => undefined,
  }
}

/** A sink in memory of which a buffer is made when somebody asks for it. */
export interface UnseenSink extends Sink {
  readonly memory: UnseenMemory
}

/**
 * The same in memory that need not be seen: `keep` has it from then on, and closes it when nobody wants it. Nothing for a body that is too short for that, or where there is
 * no such memory.
 */
export function createUnseenSink(
  header: { byteLength: bigint },
  keep: (memory: UnseenMemory, digest: Buffer) => void | Promise<void>,
): UnseenSink | undefined {
  const memory = findReusedMemory()?.takeUnseen(Number(header.byteLength))
  if (memory === undefined) return undefined
  let isOurs = true
  let isLent = false
  const { place, write, position } = writeInto(() => memory.own, memory.isWarm)
  return {
    memory,
    place,
    write,
    lend: (token) => {
      const lent = position() < memory.byteLength - tokenBytes ? lend(memory, token) : undefined
      isLent ||= lent !== undefined
      return lent
    },
    commit: async (digest) => {
      isOurs = false
      await keep(memory, digest)
      return received
    },
    abort: () => {
      // Who keeps it may have it even if what he did afterwards failed.
      if (!isOurs) return
      if (isLent) memory.bar()
      else memory.close()
    },
  }
}

const received: TransferReceipt = { durability: Durability.MEMORY, version: 0n }

/** `target` throws when the memory is not the sink's any more. */
function writeInto(
  target: () => Bytes,
  isWarm: boolean,
): Required<Pick<Sink, 'place' | 'write'>> & { readonly position: () => number } {
  const touch = isWarm ? undefined : touchAhead(target())
  let position = 0
  return {
    position: () => position,
    place: (length) => partOf(target(), position, position + length),
    write: (data) => {
      const bytes = target()
      if (data.buffer !== bytes.buffer) writeBytes(bytes, data, position)
      position += data.byteLength
      touch?.(position)
    },
  }
}

function allocate(byteLength: number): { readonly bytes: Bytes<ArrayBuffer>; readonly isWarm: boolean } {
  try {
    return findReusedMemory()?.take(byteLength) ?? { bytes: allocateLarge(byteLength), isWarm: false }
  } catch (cause) {
    const message = `no memory for a body of ${byteLength} bytes: move it in parts, or give this process more memory`
    throw new TransferError(Status.RESOURCE_EXHAUSTED, 'OUT_OF_MEMORY', message, { cause })
  }
}
