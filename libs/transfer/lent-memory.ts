import { findLibC, type UnseenMemory } from '#libs/memory'
import type { LentMemory } from '#libs/proto'

import { mayShare } from './shared-file.js'
import { tokenBytes } from './slot-marks.js'

/** What fits into the processor's own cache is digested faster. */
const pieceBytes = 256 * 1024

/** Lends memory to a sender on this host, who finds it by the token that now lies at its end. */
export function lend(memory: Pick<UnseenMemory, 'at' | 'byteLength' | 'own'>, token: Uint8Array): LentMemory {
  memory.own.set(token, memory.byteLength - tokenBytes)
  return { processId: process.pid, address: memory.at, token: Buffer.from(token) }
}

/** Memory of the other end where this end writes a body itself: nothing is copied twice, and nobody waits for the other one. */
export interface RemoteMemory {
  /**
   * Writes a part of the body; `see` gets all of it, piece by piece, each before it is written. False when not all of it could be: nothing
   * can be written there any more.
   */
  write(offset: number, data: Uint8Array, see?: (piece: Uint8Array) => void): boolean
}

/** The memory that the other end lends for a body of this length; nothing where it is out of reach: another host, container or user. */
export function borrow({ processId, address, token }: LentMemory, byteLength: number): RemoteMemory | undefined {
  const libc = mayShare() ? findLibC() : undefined
  if (libc === undefined || byteLength < tokenBytes) return undefined
  const tokenAt = address + BigInt(byteLength - tokenBytes)
  const found = Buffer.alloc(tokenBytes)
  // Looked at before each write: a process that has ended may be followed by another one of its number.
  const isThere = (): boolean => libc.readFrom(processId, tokenAt, found) && found.equals(token)
  if (!isThere()) return undefined
  return {
    write: (offset, data, see) => {
      let isWriting = isThere()
      for (let from = 0; from < data.byteLength; from += pieceBytes) {
        const piece = data.subarray(from, from + pieceBytes)
        see?.(piece)
        isWriting &&= libc.writeTo(processId, address + BigInt(offset + from), piece)
      }
      return isWriting
    },
  }
}
