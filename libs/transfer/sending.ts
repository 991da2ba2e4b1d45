import { Status } from 'nice-grpc-common'

import type { SharedSlice, TransferCredit, TransferFrame, TransferReceipt } from '#libs/proto'

import { checksumOf, createDigester, type Digester } from './digest.js'
import type { Source } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { headerOf } from './header.js'
import type { RemoteMemory } from './lent-memory.js'
import { chunkBytes, initialCreditBytes, sharedBatchBytes, sharedBodyBytes, slotChunkBytes } from './limits.js'
import type { Outbox } from './outbox.js'
import type { PutPoint } from './resume.js'
import type { SharedMemory } from './shared-memory.js'
import { errorOf, TransferError } from './transfer-error.js'
import { nextTurn } from './turn.js'

/** The sending half of one transfer: header, chunks within the credit, commit; then waits for the receipt. */
export class Sending {
  readonly #transferId: number
  readonly #name: string
  readonly #outbox: Outbox<FrameMessage>
  readonly #shared: SharedMemory
  readonly #outcome: Promise<TransferReceipt | undefined>
  #settle!: { resolve: (receipt: TransferReceipt | undefined) => void; reject: (error: Error) => void }
  readonly #point: PutPoint | undefined
  #credit = initialCreditBytes
  /** Where the other end wants the body from, once it has given any credit. */
  #wantedFrom: number | undefined
  /** Where the other end lends memory for the body, and this end reaches it. */
  #borrowed: RemoteMemory | undefined
  #byteLength = 0
  #wake: (() => void) | undefined
  #over = false
  #committed = false
  #deaf = false
  #peerGaveUp = false

  /** `name` is what is moved, for messages; `point` hears what the other end has taken. */
  constructor(transferId: number, name: string, outbox: Outbox<FrameMessage>, shared: SharedMemory, point?: PutPoint) {
    this.#point = point
    this.#transferId = transferId
    this.#name = name
    this.#outbox = outbox
    this.#shared = shared
    this.#outcome = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    // It may settle while the source is still being opened.
    this.#outcome.catch(() => undefined)
  }

  /** Whether the other end ended the transfer, so that it need not be told. */
  get peerGaveUp(): boolean {
    return this.#peerGaveUp
  }

  /**
   * Sends what `open` gives from `offset` on, or from where the other end wants it, and closes it when the transfer is over. Resolves with the receipt, or
   * nothing when the other end has left without giving one.
   *
   * @throws TransferError as the other end gave it up; OUT_OF_RANGE for an offset behind the end; DATA_LOSS for a source
   * that does not have the announced bytes; and whatever the source throws.
   */
  async send(open: () => Source | Promise<Source>, offset: number | 'asWanted'): Promise<TransferReceipt | undefined> {
    const source = await open()
    try {
      if (!this.#over) {
        // Who gives up does not wait for a source that hangs.
        await Promise.race([this.#sendAll(source, offset), this.#outcome])
      }
      return await this.#outcome
    } finally {
      this.#stop()
      source.close?.()
    }
  }

  /** Takes what the receiving end says of this transfer. */
  take(frame: NonNullable<TransferFrame['frame']>): void {
    if (frame.$case === 'credit') {
      this.#hearCredit(frame.value)
    } else if (frame.$case === 'receipt') {
      this.#stop()
      this.#settle.resolve(frame.value)
    } else if (frame.$case === 'abort') {
      this.#peerGaveUp = true
      this.fail(errorOf(frame.value))
    }
  }

  /** Ends the transfer from outside: the stream broke, or the caller lost interest. */
  fail(error: Error): void {
    this.#stop()
    this.#settle.reject(error)
  }

  /** The other end will say nothing more: what it has granted is still sent, but no receipt will come. */
  endInput(): void {
    this.#deaf = true
    if (this.#committed) this.#settle.resolve(undefined)
    this.#wake?.()
  }

  #hearCredit({ bytes, resumeOffset, lent }: TransferCredit): void {
    if (lent) this.#borrowed = this.#shared.borrow(lent, this.#byteLength)
    this.#credit += Number(bytes)
    const isFirst = this.#wantedFrom === undefined
    this.#wantedFrom ??= Number(resumeOffset ?? 0n)
    if (this.#point) {
      this.#point.isHeard = true
      // The first says how much may come, every other how much was taken.
      if (isFirst) this.#point.acknowledged = this.#wantedFrom
      else this.#point.acknowledged += Number(bytes)
    }
    this.#wake?.()
  }

  #stop(): void {
    this.#over = true
    this.#wake?.()
  }

  async #sendAll(source: Source, from: number | 'asWanted'): Promise<void> {
    const { header } = source
    const { byteLength } = header
    this.#byteLength = byteLength
    if (from !== 'asWanted') this.#checkOffset(from, byteLength)
    // Asked first, so that the answer comes with the first credit.
    const leastBytes = header.objects ? sharedBatchBytes : sharedBodyBytes
    if (byteLength - (from === 'asWanted' ? 0 : from) >= leastBytes) this.#shared.offer()
    this.#say({ $case: 'header', value: headerOf(header) })
    const offset = from === 'asWanted' ? await this.#hearWhere(byteLength) : from
    if (offset === undefined) return
    // The digest is over the whole body, also when only its end is sent: what is not known must be read again.
    const { digest: known, arriving } = source
    const digester = known || arriving ? undefined : createDigester(header.digestAlgorithm)
    const start = digester ? 0 : offset
    const size = { atMost: chunkBytes }
    const chunks = chunksOf(source.read(start), size)
    try {
      for (let position = start; position < byteLength;) {
        // Who waits for what is still arriving holds no place, which others could use.
        await arriving?.until(position)
        // Leave to send comes before the read: who waits holds no memory.
        const leave = await this.#takeLeave(byteLength - Math.max(position, offset))
        if (leave === undefined) return
        size.atMost = leave.kind === 'place' ? chunkBytes : slotChunkBytes
        const data = await this.#readChunk(chunks, byteLength - position, leave)
        position += data.byteLength
        const unsent = data.subarray(Math.max(0, data.byteLength - Math.max(0, position - offset)))
        digester?.update(data.subarray(0, data.byteLength - unsent.byteLength))
        const see = digester && ((piece: Uint8Array) => digester.update(piece))
        if (unsent.byteLength > 0)
          await this.#sendChunk(position - unsent.byteLength, unsent, leave, source.reusesMemory ?? false, see)
        else this.#giveBack(leave)
      }
    } finally {
      // Not awaited: a source that hangs in a read returns only after it.
      chunks.return(undefined).catch(() => undefined)
    }
    const digest = known ?? (arriving ? await arriving.digest() : (digester as Digester).digest())
    source.verify?.(digest)
    this.#committed = true
    this.#say({ $case: 'commit', value: { digest } })
    if (this.#deaf) this.#settle.resolve(undefined)
  }

  /** Waits until the other end says from where it wants the body. Nothing when the transfer is over instead. */
  async #hearWhere(byteLength: number): Promise<number | undefined> {
    while (this.#wantedFrom === undefined && !this.#isOver()) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    if (this.#wantedFrom !== undefined) this.#checkOffset(this.#wantedFrom, byteLength)
    return this.#wantedFrom
  }

  #checkOffset(offset: number, byteLength: number): void {
    if (offset <= byteLength) return
    const message = `${this.#name} has ${byteLength} bytes: it cannot be read from ${offset} on`
    throw new TransferError(Status.OUT_OF_RANGE, 'OFFSET_BEHIND_END', message)
  }

  /** Waits for credit for the next chunk, and then for a place for it. Nothing when the transfer is over instead. */
  async #takeLeave(unsentBytes: number): Promise<Leave | undefined> {
    const wanted = (): number => Math.min(this.#shared.isOpen ? slotChunkBytes : chunkBytes, unsentBytes)
    while (this.#credit < wanted() && !this.#isOver()) {
      if (this.#deaf) {
        const message = `${this.#name}: the other end has left without taking it all`
        throw new TransferError(Status.UNAVAILABLE, 'STREAM_ENDED', message)
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    if (this.#isOver()) return undefined
    const leave = await this.#takePlace()
    if (!this.#isOver()) return leave
    this.#giveBack(leave)
    return undefined
  }

  async #takePlace(): Promise<Leave> {
    if (this.#borrowed) return { kind: 'borrowed', memory: this.#borrowed }
    const slot = await this.#shared.takeSlot()
    if (slot !== undefined) return { kind: 'slot', slot }
    await this.#outbox.takePlace()
    return { kind: 'place' }
  }

  #giveBack(leave: Leave): void {
    if (leave.kind === 'slot') this.#shared.leaveSlot(leave.slot)
    else if (leave.kind === 'place') this.#outbox.leavePlace()
  }

  #isOver(): boolean {
    return this.#over
  }

  async #readChunk(chunks: AsyncIterator<Uint8Array>, atMost: number, leave: Leave): Promise<Uint8Array> {
    try {
      const next = await chunks.next()
      if (next.done !== true && next.value.byteLength <= atMost) return next.value
      const message = `${this.#name} has ${next.done === true ? 'fewer' : 'more'} bytes than it should`
      throw new TransferError(Status.DATA_LOSS, 'LENGTH_MISMATCH', message)
    } catch (error) {
      this.#giveBack(leave)
      throw error
    }
  }

  /**
   * What is written to a slot is there now; what waits to be sent lies where it is until then, so it is copied if need be. `see` gets all
   * of it before it is sent.
   */
  async #sendChunk(
    offset: number,
    data: Uint8Array,
    leave: Leave,
    isReused: boolean,
    see?: (piece: Uint8Array) => void,
  ): Promise<void> {
    this.#credit -= data.byteLength
    const kept = (): Uint8Array => (isReused ? Buffer.from(data) : data)
    if (leave.kind === 'place') {
      see?.(data)
      this.#outbox.fillPlace(this.#chunk(offset, kept()))
      return
    }
    if (leave.kind === 'borrowed') {
      await nextTurn()
      if (this.#isOver()) return
      if (leave.memory.write(offset, data, see))
        this.#sayShared(offset, { slot: 0, byteLength: data.byteLength, isLent: true })
      else {
        this.#borrowed = undefined
        this.#pushAll(offset, kept())
      }
      return
    }
    const { slot } = leave
    const say = (): void => this.#sayShared(offset, { slot, byteLength: data.byteLength })
    const isAhead = this.#shared.canSayAhead(slot, data.byteLength)
    if (isAhead) say()
    // What was said goes out now, while this is written.
    await nextTurn()
    if (this.#isOver()) {
      if (isAhead) this.#shared.noteWritten(slot)
      else this.#giveBack(leave)
    } else if (this.#shared.write(slot, data, see)) {
      if (!isAhead) say()
    } else {
      // Shared memory is full.
      this.#pushAll(offset, kept())
    }
  }

  /** What was to go through memory. This happens once per stream or body, so these need no place. */
  #pushAll(offset: number, data: Uint8Array): void {
    for (let start = 0; start < data.byteLength; start += chunkBytes) {
      this.#outbox.push(this.#chunk(offset + start, data.subarray(start, start + chunkBytes)))
    }
  }

  #sayShared(offset: number, shared: SharedSlice): void {
    this.#say({ $case: 'chunk', value: { offset: BigInt(offset), crc32c: 0, data: Buffer.alloc(0), shared } })
  }

  #chunk(offset: number, data: Uint8Array): FrameMessage {
    const value = { offset: BigInt(offset), crc32c: checksumOf(data), data: data as Buffer, shared: undefined }
    return { frame: { transferId: this.#transferId, frame: { $case: 'chunk', value } } }
  }

  #say(frame: NonNullable<TransferFrame['frame']>): void {
    this.#outbox.push({ frame: { transferId: this.#transferId, frame } })
  }
}

/** Leave to send a chunk: where it may lie until it is sent. */
type Leave =
  | { readonly kind: 'place' }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'borrowed'; readonly memory: RemoteMemory }

/** Pieces in chunks; how long the next one may be is read when it is asked for. */
async function* chunksOf(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  size: { readonly atMost: number },
): AsyncGenerator<Uint8Array, undefined> {
  for await (const piece of pieces) {
    for (let start = 0; start < piece.byteLength;) {
      const chunk = piece.subarray(start, start + size.atMost)
      start += chunk.byteLength
      yield chunk
    }
  }
  return undefined
}
