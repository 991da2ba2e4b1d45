import { Status } from 'nice-grpc-common'

import type { SharedMemoryOffer, SharedSlice, TransferChunk, TransferFrame } from '#libs/proto'

import { slotBytes, slots } from './limits.js'
import { createSharedFile, openSharedFile, type SharedFile } from './shared-file.js'
import { TransferError } from './transfer-error.js'

type Frame = NonNullable<TransferFrame['frame']>

type Outgoing =
  | { readonly status: 'unasked' }
  | { readonly status: 'offered'; readonly file: SharedFile }
  | { readonly status: 'open'; readonly file: SharedFile; readonly free: number[] }
  /** Refused, broken, or the stream is over. */
  | { readonly status: 'closed' }

/**
 * One end's part of the memory that both ends of a stream share when they are on one host: slots of a file that it writes, and
 * slots of the other end's file that it reads. Where that cannot be, nothing ever opens and nobody notices.
 */
export class SharedMemory {
  readonly #say: (frame: Frame) => void
  #outgoing: Outgoing = { status: 'unasked' }
  readonly #waiting: ((slot: number | undefined) => void)[] = []
  #incoming: SharedFile | undefined
  #read: number[] = []

  constructor(say: (frame: Frame) => void) {
    this.#say = say
  }

  /** Whether chunks can be written here now. */
  get isOpen(): boolean {
    return this.#outgoing.status === 'open'
  }

  /** Somebody has much to send: asks the other end, the first time. */
  offer(): void {
    if (this.#outgoing.status !== 'unasked') return
    const file = createSharedFile()
    this.#outgoing = file ? { status: 'offered', file } : { status: 'closed' }
    if (file) this.#say({ $case: 'sharedMemoryOffer', value: { name: file.name, slotBytes, slots } })
  }

  /** Takes what the other end says of shared memory. */
  take(frame: Frame): void {
    if (frame.$case === 'sharedMemoryOffer') this.#answer(frame.value)
    else if (frame.$case === 'sharedMemoryAnswer') this.#hearAnswer(frame.value.accepted)
    else if (frame.$case === 'sharedSlotsRead') for (const slot of frame.value.slots) this.leaveSlot(slot)
  }

  /** Waits for a slot to write to; nothing when there will be none. */
  async takeSlot(): Promise<number | undefined> {
    if (this.#outgoing.status !== 'open') return undefined
    // What was read last: it is warm, and slots that are never needed take no memory.
    const slot = this.#outgoing.free.pop()
    return slot ?? (await new Promise<number | undefined>((resolve) => this.#waiting.push(resolve)))
  }

  /** The slot is free again: the other end has read it, or it was not needed. */
  leaveSlot(slot: number): void {
    // The number may be the peer's.
    if (this.#outgoing.status !== 'open' || slot >= slots || this.#outgoing.free.includes(slot)) return
    const next = this.#waiting.shift()
    if (next) next(slot)
    else this.#outgoing.free.push(slot)
  }

  /** Writes a chunk into a slot that was taken. False when there is no room: nothing goes this way any more. */
  write(slot: number, data: Uint8Array): boolean {
    if (this.#outgoing.status !== 'open') return false
    try {
      this.#outgoing.file.write(slot, data)
      return true
    } catch {
      // What lies in other slots is still read: the other end has the file.
      this.#closeOutgoing()
      return false
    }
  }

  /** Fills `into` with what the other end wrote. */
  read({ slot }: SharedSlice, into: Uint8Array): void {
    try {
      if (this.#incoming === undefined || slot >= slots) throw new Error(`shared memory has no slot ${slot} here`)
      this.#incoming.read(slot, into)
    } catch (cause) {
      throw new TransferError(Status.DATA_LOSS, 'SHARED_MEMORY_LOST', (cause as Error).message, { cause })
    }
  }

  /** The slot's bytes are not needed any more. Said for several at once: the sender has others meanwhile. */
  leaveRead(slot: number): void {
    this.#read.push(slot)
    if (this.#read.length < slots / 4) return
    this.#say({ $case: 'sharedSlotsRead', value: { slots: this.#read } })
    this.#read = []
  }

  /** The stream is over. */
  close(): void {
    this.#closeOutgoing()
    this.#incoming?.close()
    this.#incoming = undefined
  }

  #answer({ name, slotBytes: peersSlotBytes }: SharedMemoryOffer): void {
    const file = peersSlotBytes === slotBytes && this.#incoming === undefined ? openSharedFile(name) : undefined
    this.#incoming ??= file
    this.#say({ $case: 'sharedMemoryAnswer', value: { accepted: file !== undefined } })
  }

  #hearAnswer(accepted: boolean): void {
    if (this.#outgoing.status !== 'offered') return
    const { file } = this.#outgoing
    if (!accepted) {
      this.#closeOutgoing()
      return
    }
    file.unlink()
    this.#outgoing = { status: 'open', file, free: [...Array(slots).keys()].reverse() }
  }

  #closeOutgoing(): void {
    const outgoing = this.#outgoing
    this.#outgoing = { status: 'closed' }
    if (outgoing.status === 'offered') outgoing.file.unlink()
    if (outgoing.status === 'offered' || outgoing.status === 'open') outgoing.file.close()
    for (const resolve of this.#waiting.splice(0)) resolve(undefined)
  }
}

/** A chunk of a transfer that has just ended here: its slot is free again. */
export function leaveUnread(memory: SharedMemory, { shared }: TransferChunk): void {
  if (shared) memory.leaveRead(shared.slot)
}
