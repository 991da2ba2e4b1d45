import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Status } from 'nice-grpc-common'

import type { LentMemory, SharedMemoryOffer, SharedSlice, TransferChunk, TransferFrame } from '#libs/proto'

import { slotBytes, slots } from './limits.js'
import { borrow, type RemoteMemory } from './lent-memory.js'
import { createSharedFile, openSharedFile, type SharedFile } from './shared-file.js'
import { tokenBytes } from './slot-marks.js'
import { TransferError } from './transfer-error.js'
import { nextTurn } from './turn.js'

type Frame = NonNullable<TransferFrame['frame']>

type Outgoing =
  | { readonly status: 'unasked' }
  | { readonly status: 'offered'; readonly file: SharedFile }
  | { readonly status: 'open'; readonly file: SharedFile; readonly free: number[]; readonly unread: Set<number> }
  /** There is no room for more: only what was said to be there already is still written. */
  | { readonly status: 'full'; readonly file: SharedFile }
  /** Refused, or the stream is over. */
  | { readonly status: 'closed' }

/**
 * One end's part of the memory that both ends of a stream share when they are on one host: slots of a file that it writes, and
 * slots of the other end's file that it reads. Where that cannot be, nothing ever opens and nobody notices.
 */
export class SharedMemory {
  readonly #say: (frame: Frame) => void
  #outgoing: Outgoing = { status: 'unasked' }
  #isWatching = false
  readonly #waiting: ((slot: number | undefined) => void)[] = []
  #incoming: SharedFile | undefined
  #isOver = false
  /** By which the sender at the other end knows this process, once it has it from shared memory. */
  #token: Uint8Array | undefined

  constructor(say: (frame: Frame) => void) {
    this.#say = say
  }

  /** Whether chunks can be written here now. */
  get isOpen(): boolean {
    return this.#outgoing.status === 'open'
  }

  /** Whether chunks may come this way. */
  get hasIncoming(): boolean {
    return this.#incoming !== undefined
  }

  /** Lends memory to the sender at the other end; nothing where it does not share this host. */
  lend(memory: (token: Uint8Array) => LentMemory | undefined): LentMemory | undefined {
    return this.#incoming?.marks && this.#token && memory(this.#token)
  }

  /** Memory of this length that the other end lends; nothing where it is not within reach. */
  borrow(lent: LentMemory, byteLength: number): RemoteMemory | undefined {
    const isPeers = this.#outgoing.status === 'open' && this.#outgoing.file.marks?.isReaders(lent.token)
    return isPeers ? borrow(lent, byteLength) : undefined
  }

  /** Somebody has much to send: asks the other end, the first time. */
  offer(): void {
    if (this.#outgoing.status !== 'unasked') return
    const file = createSharedFile()
    this.#outgoing = file ? { status: 'offered', file } : { status: 'closed' }
    file?.marks?.beginToWrite()
    if (file) this.#say({ $case: 'sharedMemoryOffer', value: { name: file.name, slotBytes, slots } })
  }

  /** Takes what the other end says of shared memory. */
  take(frame: Frame): void {
    if (frame.$case === 'sharedMemoryOffer') this.#answer(frame.value)
    else if (frame.$case === 'sharedMemoryAnswer') this.#hearAnswer(frame.value.accepted)
    else if (frame.$case === 'sharedSlotsRead') this.#hearRead(frame.value.slots)
  }

  /** Waits for a slot to write to; nothing when there will be none. */
  async takeSlot(): Promise<number | undefined> {
    if (this.#outgoing.status !== 'open') return undefined
    // What was read last: it is warm, and slots that are never needed take no memory.
    this.#lookForRead()
    const slot = this.#outgoing.free.pop()
    if (slot !== undefined) return slot
    const coming = new Promise<number | undefined>((resolve) => this.#waiting.push(resolve))
    void this.#watch()
    return await coming
  }

  /** The slot is free again: the other end has read it, or it was not needed. */
  leaveSlot(slot: number): void {
    // The number may be the peer's.
    if (this.#outgoing.status !== 'open' || slot >= slots || this.#outgoing.free.includes(slot)) return
    const next = this.#waiting.shift()
    if (next) next(slot)
    else this.#outgoing.free.push(slot)
  }

  /** Whether a chunk may be said to be in the slot before it is: it will be, and the other end looks whether it is. */
  canSayAhead(slot: number, byteLength: number): boolean {
    if (this.#outgoing.status !== 'open') return false
    const { file } = this.#outgoing
    return (file.marks?.hasReader ?? false) && file.hasRoom(slot, byteLength)
  }

  /**
   * Writes a chunk into a slot that was taken; `see` gets all of it, piece by piece, each before it is written. False when there is no
   * room: nothing goes this way any more.
   */
  write(slot: number, data: Uint8Array, see: See = unseen): boolean {
    const outgoing = this.#outgoing
    let file = outgoing.status === 'open' || outgoing.status === 'full' ? outgoing.file : undefined
    for (const { piece, from } of piecesOf(data)) {
      see(piece)
      try {
        file?.write(slot, piece, from)
      } catch {
        file = undefined
        this.#leaveFull()
      }
    }
    if (file) this.noteWritten(slot)
    return file !== undefined
  }

  /** The slot is the other end's until it has read it. */
  noteWritten(slot: number): void {
    const outgoing = this.#outgoing
    if (outgoing.status !== 'open' && outgoing.status !== 'full') return
    outgoing.file.marks?.noteWritten(slot)
    if (outgoing.status === 'open') outgoing.unread.add(slot)
  }

  /** Waits for what was said to be in a slot before it was. False when `isOver` before that, or the stream is. */
  async arrival(slot: number, isOver: () => boolean): Promise<boolean> {
    const isHere = (): boolean => {
      const marks = this.#incoming?.marks
      return slot >= slots || marks === undefined || !marks.hasWriter || marks.isUnread(slot)
    }
    for (let turn = 0; !this.#isOver && !isHere(); turn++) {
      if (isOver()) return false
      // Its writer is at it; if it does not run there is time.
      await (turn < mostTurns ? nextTurn() : sleep(1))
    }
    return !this.#isOver
  }

  /** Fills `into` with what the other end wrote; `see` gets all of it, piece by piece, each once it is here. */
  read({ slot }: SharedSlice, into: Uint8Array, see: See = unseen): void {
    try {
      if (this.#incoming === undefined || slot >= slots) throw new Error(`shared memory has no slot ${slot} here`)
      for (const { piece, from } of piecesOf(into)) {
        this.#incoming.read(slot, piece, from)
        see(piece)
      }
    } catch (cause) {
      throw new TransferError(Status.DATA_LOSS, 'SHARED_MEMORY_LOST', (cause as Error).message, { cause })
    }
  }

  /** The slot's bytes are not needed any more. Said as well as marked: who has waited for long looks no more. */
  leaveRead(slot: number): void {
    if (slot < slots) this.#incoming?.marks?.noteRead(slot)
    this.#say({ $case: 'sharedSlotsRead', value: { slots: [slot] } })
  }

  /** The stream is over. */
  close(): void {
    this.#isOver = true
    this.#closeOutgoing()
    this.#incoming?.close()
    this.#incoming = undefined
  }

  #answer({ name, slotBytes: peersSlotBytes }: SharedMemoryOffer): void {
    // What came with the end of the stream is still heard.
    const isWanted = peersSlotBytes === slotBytes && this.#incoming === undefined && !this.#isOver
    const file = isWanted ? openSharedFile(name) : undefined
    this.#incoming ??= file
    if (file?.marks) file.marks.beginToRead((this.#token = randomBytes(tokenBytes)))
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
    this.#outgoing = { status: 'open', file, free: [...Array(slots).keys()].reverse(), unread: new Set() }
  }

  #hearRead(read: readonly number[]): void {
    if (this.#outgoing.status !== 'open') return
    // Where the other end marks what it has read that is known, and the slots may hold something new by now.
    if (this.#outgoing.file.marks?.hasReader) this.#lookForRead()
    else for (const slot of read) if (this.#outgoing.unread.delete(slot)) this.leaveSlot(slot)
  }

  #lookForRead(): void {
    if (this.#outgoing.status !== 'open') return
    const { file, unread } = this.#outgoing
    const { marks } = file
    if (!marks?.hasReader) return
    for (const slot of unread) {
      if (marks.isUnread(slot)) continue
      unread.delete(slot)
      this.leaveSlot(slot)
    }
  }

  /** Looks for slots that were read, while somebody waits for one: for a while, then frames say it. */
  async #watch(): Promise<void> {
    if (this.#isWatching) return
    this.#isWatching = true
    for (let turn = 0; turn < mostTurns && this.#waiting.length > 0; turn++) {
      await nextTurn()
      this.#lookForRead()
    }
    this.#isWatching = false
  }

  /** What lies in the slots is still read. */
  #leaveFull(): void {
    if (this.#outgoing.status === 'open') this.#outgoing = { status: 'full', file: this.#outgoing.file }
    this.#letGo()
  }

  #closeOutgoing(): void {
    const outgoing = this.#outgoing
    this.#outgoing = { status: 'closed' }
    if (outgoing.status === 'offered') outgoing.file.unlink()
    if ('file' in outgoing) outgoing.file.close()
    this.#letGo()
  }

  #letGo(): void {
    for (const resolve of this.#waiting.splice(0)) resolve(undefined)
  }
}

/** Who looks for what the other end does looks so often; a turn of the event loop takes some microseconds. */
const mostTurns = 50

/** Looks at a piece of a chunk, while it is in the processor's own cache. */
type See = (piece: Uint8Array) => void
const unseen: See = () => undefined
/** Half of the smallest such cache: what is digested there is copied from there. */
const pieceBytes = 256 * 1024

function* piecesOf(chunk: Uint8Array): Generator<{ readonly piece: Uint8Array; readonly from: number }> {
  for (let from = 0; from < chunk.byteLength; from += pieceBytes) {
    yield { piece: chunk.subarray(from, from + pieceBytes), from }
  }
}

/** A chunk of a transfer that has just ended here: its slot is free again. */
export function leaveUnread(memory: SharedMemory, chunk: TransferChunk): void {
  const slot = slotOf(chunk)
  if (slot !== undefined) memory.leaveRead(slot)
}

/** The slot that a chunk lies in; nothing for one that came in its frame, or lies in memory that was lent. */
export function slotOf({ shared }: TransferChunk): number | undefined {
  return shared?.isLent ? undefined : shared?.slot
}
