import { Status } from 'nice-grpc-common'

import type { LentMemory, TransferFrame, TransferHeader, TransferReceipt } from '#libs/proto'

import type { Sink } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { checkHeader } from './header.js'
import { IncomingBody, lengthOf } from './incoming-body.js'
import { initialCreditBytes, sharedBodyBytes, windowBytes } from './limits.js'
import { Outbox } from './outbox.js'
import { checkSameHeader, isLostStream, type ResumePoint } from './resume.js'
import { leaveUnread, type SharedMemory, slotOf } from './shared-memory.js'
import { errorOf, TransferError } from './transfer-error.js'
import { nextTurn } from './turn.js'

type Frame = NonNullable<TransferFrame['frame']>

/** The receiving half of one transfer: checks every chunk and the whole, grants credit as the sink takes the bytes. */
export class Receiving {
  readonly #transferId: number
  readonly #name: string
  readonly #outbox: Outbox<FrameMessage>
  readonly #inbox = new Outbox<Frame>()
  readonly #shared: SharedMemory
  /** Slots of the sender that lie in the inbox. */
  readonly #slots = new Set<number>()
  readonly #lends: boolean
  #credit = initialCreditBytes
  #peerGaveUp = false

  /**
   * `name` is what is moved, for messages. `lends` says whether a sender on this host may write to the sink's memory itself: only one that
   * goes on itself after a cut, so that nobody writes there who was left for another.
   */
  constructor(transferId: number, name: string, outbox: Outbox<FrameMessage>, shared: SharedMemory, lends = false) {
    this.#lends = lends
    this.#transferId = transferId
    this.#name = name
    this.#outbox = outbox
    this.#shared = shared
  }

  /** Whether the other end ended the transfer, so that it need not be told. */
  get peerGaveUp(): boolean {
    return this.#peerGaveUp
  }

  /** Takes what the sending end says of this transfer. */
  take(frame: Frame): void {
    if (frame.$case === 'abort') {
      this.#peerGaveUp = true
      this.fail(errorOf(frame.value))
      return
    }
    if (frame.$case === 'chunk') {
      const slot = slotOf(frame.value)
      // Nobody will read it any more.
      if (this.#inbox.ended) leaveUnread(this.#shared, frame.value)
      else if (slot !== undefined) this.#slots.add(slot)
      this.#credit -= lengthOf(frame.value)
      if (this.#credit < 0) {
        const message = `${this.#name}: more bytes came than this end had given credit for`
        this.fail(new TransferError(Status.INVALID_ARGUMENT, 'CREDIT_EXCEEDED', message))
        return
      }
    }
    this.#inbox.push(frame)
  }

  /** Ends the transfer from outside. */
  fail(error: Error): void {
    this.#inbox.end(error)
  }

  /** The other end will say nothing more; what it has said is still taken. */
  endInput(): void {
    this.#inbox.end()
  }

  /**
   * Receives everything into the sink that `open` makes when the header is there, unless `open` has a receipt at once. With
   * a `point` to go on from, it receives the rest; when the stream is lost, what has come is kept there.
   *
   * @throws TransferError DATA_LOSS for a chunk or digest that is not what was sent, INVALID_ARGUMENT for frames out of
   * order or a body that is shorter or longer than announced, and whatever the sending end gave up with.
   */
  async receive(
    open: (header: TransferHeader) => Sink | TransferReceipt | Promise<Sink | TransferReceipt>,
    point?: ResumePoint,
  ): Promise<TransferReceipt> {
    let earlier = point?.body
    if (point) point.body = undefined
    let body: IncomingBody | undefined
    let resumeOffset: bigint | undefined
    try {
      for await (const frame of this.#inbox) {
        if (frame.$case === 'header') {
          if (body !== undefined) throw this.#outOfPlace(frame)
          checkHeader(this.#name, frame.value)
          if (earlier) {
            checkSameHeader(this.#name, earlier.header, frame.value)
            body = earlier
            earlier = undefined
            body.resume(this.#shared)
            resumeOffset = BigInt(body.position)
          } else {
            const place = await open(frame.value)
            if ('durability' in place) return this.#acknowledge(place)
            body = new IncomingBody(this.#name, frame.value, place, this.#shared)
          }
          this.#grantFirst(body, resumeOffset)
        } else if (frame.$case === 'chunk' && body !== undefined) {
          const slot = slotOf(frame.value)
          if (slot !== undefined && !(await this.#shared.arrival(slot, () => this.#inbox.ended))) continue
          await body.take(frame.value)
          if (slot !== undefined) this.#leaveSlot(slot)
          const grant = body.takeGrant()
          if (grant > 0) this.#grant(grant)
          if (frame.value.shared) await nextTurn()
        } else if (frame.$case === 'commit' && body !== undefined) {
          const receipt = await body.commit(frame.value.digest)
          body = undefined
          return this.#acknowledge(receipt)
        } else {
          throw this.#outOfPlace(frame)
        }
      }
      throw new TransferError(Status.UNAVAILABLE, 'STREAM_ENDED', `${this.#name}: the stream ended in the middle`)
    } catch (error) {
      const begun = body ?? earlier
      if (point && begun?.isIntact && isLostStream(error)) {
        point.body = begun
        body = earlier = undefined
      }
      throw error
    } finally {
      this.#inbox.end()
      for (const slot of this.#slots) this.#leaveSlot(slot)
      body?.abort()
      earlier?.abort()
    }
  }

  #grantFirst(body: IncomingBody, resumeOffset: bigint | undefined): void {
    const restBytes = body.byteLength - body.position
    const isLong = restBytes > initialCreditBytes
    if (!isLong && resumeOffset === undefined) return
    const lent = this.#lends && restBytes >= sharedBodyBytes ? body.lend() : undefined
    // What is written there lies nowhere else meanwhile.
    const window = lent ? Math.max(restBytes, windowBytes) : this.#window()
    this.#grant(isLong ? window - initialCreditBytes : 0, resumeOffset, lent)
  }

  /** Slots bound what lies in them; credit comes in frames, and shall not be what their sender waits for. */
  #window(): number {
    return this.#shared.hasIncoming ? 2 * windowBytes : windowBytes
  }

  #leaveSlot(slot: number): void {
    this.#slots.delete(slot)
    this.#shared.leaveRead(slot)
  }

  #outOfPlace(frame: Frame): TransferError {
    const message = `${this.#name}: a ${frame.$case} came where the protocol has none (header, chunks, commit)`
    return new TransferError(Status.INVALID_ARGUMENT, 'FRAME_OUT_OF_PLACE', message)
  }

  #acknowledge(receipt: TransferReceipt): TransferReceipt {
    this.#say({ $case: 'receipt', value: receipt })
    return receipt
  }

  #grant(bytes: number, resumeOffset?: bigint, lent?: LentMemory): void {
    this.#credit += bytes
    this.#say({ $case: 'credit', value: { bytes: BigInt(bytes), resumeOffset, lent } })
  }

  #say(frame: Frame): void {
    this.#outbox.push({ frame: { transferId: this.#transferId, frame } })
  }
}
