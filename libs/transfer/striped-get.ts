import { Status } from 'nice-grpc-common'

import { type Bytes, partOf, segmentsOf, writeBytes } from '#libs/memory'
import { Durability, type TransferHeader, type TransferReceipt } from '#libs/proto'

import { xxh64Of } from './digest.js'
import type { GetOptions } from './dial.js'
import type { Sink } from './endpoint.js'
import type { Givers, ObjectHolder } from './holders.js'
import { createMemorySink, type ReceivedBody } from './memory-sink.js'
import type { ByteRange } from './range-source.js'
import { TransferError } from './transfer-error.js'

/** How long a range is: at 1 Gbit/s it takes several round trips of a wide network. */
const usualRangeBytes = 8 * 2 ** 20
/** So many ranges of one holder are under way at a time: its link is not idle between two. */
const lanesPerHolder = 2
/** A shorter object comes from one holder. */
export const stripedObjectBytes = 4 * usualRangeBytes
/** A holder that sends damage more often is not asked again. */
const mostDamages = 3
/** A range that takes so many times as long as others do is got elsewhere, and before any has come, after so long. */
const patience = 2
const firstPatienceMs = 1_000

/** An object that several hold, and what it must be. */
export interface StripedObject {
  readonly objectId: string
  readonly byteLength: number
  readonly xxh64: bigint
  readonly holders: readonly ObjectHolder[]
}

/** How it is got. */
export interface StripedOptions extends Pick<GetOptions, 'trace'> {
  readonly rangeBytes?: number
}

/** What of a range is known while it is not here. */
interface Range extends ByteRange {
  /** Those that were asked for it; who was too slow with it does not get it back from who took it over. */
  readonly asked: Set<ObjectHolder>
}

/** A range on its way. */
interface Fetch {
  readonly holder: ObjectHolder
  readonly sinceMs: number
  readonly stop: AbortController
  /** Nothing of it is written any more. */
  readonly over: Promise<void>
}

/**
 * Gets an object from all of its holders at once, each of which sends ranges of it. Every range is checked as it comes, and the
 * whole at the end. A holder that dies or sends damage is followed by the others; what a slow one is late with, one that has
 * nothing to do any more takes over.
 *
 * @throws TransferError with the object's id: what the last holder failed with when none is left, DATA_LOSS when the whole is not
 * what it should be.
 */
export async function getStriped(
  pool: Givers,
  object: StripedObject,
  options: StripedOptions = {},
): Promise<ReceivedBody> {
  return await new StripedGet(pool, object, options).run()
}

class StripedGet {
  readonly #pool: Givers
  readonly #object: StripedObject
  readonly #trace: GetOptions['trace']
  readonly #bytes: Bytes<ArrayBuffer>
  /** Ranges that nobody sends now, in order. */
  readonly #waiting: Range[]
  readonly #underWay = new Map<Range, Fetch>()
  readonly #out = new Set<ObjectHolder>()
  readonly #damages = new Map<ObjectHolder, number>()
  #structure: ReceivedBody['structure']
  #here = 0
  #hereMs = 0
  #failure: unknown
  #wake: (() => void)[] = []

  constructor(pool: Givers, object: StripedObject, { trace, rangeBytes = usualRangeBytes }: StripedOptions) {
    this.#pool = pool
    this.#object = object
    this.#trace = trace
    this.#bytes = createMemorySink({ byteLength: BigInt(object.byteLength) }, () => undefined).bytes
    this.#waiting = rangesOf(object.byteLength, rangeBytes)
  }

  async run(): Promise<ReceivedBody> {
    const { objectId, holders, xxh64 } = this.#object
    const lanes = holders.flatMap((holder) => Array.from({ length: lanesPerHolder }, () => this.#work(holder)))
    await Promise.all(lanes)
    if (this.#waiting.length > 0) throw this.#failure
    const digest = xxh64Of(segmentsOf(this.#bytes))
    if (digest === xxh64) return { structure: this.#structure, bytes: this.#bytes }
    const message = `object ${objectId}: the digest of what came from ${holders.length} holders is ${digest.toString(16)}, not ${xxh64.toString(16)}`
    throw new TransferError(Status.DATA_LOSS, 'DIGEST_MISMATCH', message)
  }

  /** One range of the holder after the other, until all are here or the holder is out. */
  async #work(holder: ObjectHolder): Promise<void> {
    for (;;) {
      const range = this.#out.has(holder) ? undefined : await this.#next(holder)
      if (range === undefined) return
      await this.#fetch(range, holder)
      this.#changed()
    }
  }

  /** A range that nobody sends, or one that another holder is late with. Nothing when there will be none. */
  async #next(holder: ObjectHolder): Promise<Range | undefined> {
    for (;;) {
      const waiting = this.#takeWaiting(holder)
      if (waiting) return waiting
      if (this.#underWay.size === 0 || this.#out.has(holder)) return undefined
      const late = this.#latest(holder)
      if (late && late.dueMs <= performance.now()) {
        late.fetch.stop.abort()
        await late.fetch.over
        // Its lane has put it back.
        continue
      }
      await this.#change(late && late.dueMs - performance.now())
    }
  }

  /** One that the holder was not too slow with, if there is a choice. */
  #takeWaiting(holder: ObjectHolder): Range | undefined {
    const at = this.#waiting.findIndex(({ asked }) => !asked.has(holder))
    if (at >= 0) return this.#waiting.splice(at, 1)[0]
    return this.#underWay.size === 0 ? this.#waiting.shift() : undefined
  }

  /** The range that has been under way for longest of those which the holder may take over, and when it may. */
  #latest(holder: ObjectHolder): { readonly fetch: Fetch; readonly dueMs: number } | undefined {
    const patienceMs = this.#here === 0 ? firstPatienceMs : (patience * this.#hereMs) / this.#here
    for (const [{ asked }, fetch] of this.#underWay) {
      if (!asked.has(holder)) return { fetch, dueMs: fetch.sinceMs + patienceMs }
    }
    return undefined
  }

  async #fetch(range: Range, holder: ObjectHolder): Promise<void> {
    range.asked.add(holder)
    const stop = new AbortController()
    const sinceMs = performance.now()
    let settle!: () => void
    const over = new Promise<void>((resolve) => (settle = resolve))
    this.#underWay.set(range, { holder, sinceMs, stop, over })
    try {
      const target = { $case: 'objectId', value: this.#object.objectId } as const
      const open = (header: TransferHeader): Sink => this.#sinkOf(range, header)
      await this.#pool.worker(holder.addresses).get(target, open, { trace: this.#trace, range, signal: stop.signal })
      this.#here++
      this.#hereMs += performance.now() - sinceMs
    } catch (error) {
      this.#waiting.unshift(range)
      if (!stop.signal.aborted) {
        // Whoever is left may try.
        range.asked.clear()
        this.#blame(holder, error)
      }
    } finally {
      this.#underWay.delete(range)
      settle()
    }
  }

  #blame(holder: ObjectHolder, error: unknown): void {
    this.#failure = error
    const isDamaged = error instanceof TransferError && error.code === Status.DATA_LOSS
    const damages = (this.#damages.get(holder) ?? 0) + 1
    this.#damages.set(holder, damages)
    if (!isDamaged || damages >= mostDamages) this.#out.add(holder)
  }

  /** Straight into its place. */
  #sinkOf({ start, byteLength }: Range, header: TransferHeader): Sink {
    const { objectId } = this.#object
    if (header.byteLength !== BigInt(byteLength)) {
      const message = `object ${objectId}: ${header.byteLength} bytes are sent of which ${byteLength} were asked for: upgrade the holder`
      throw new TransferError(Status.FAILED_PRECONDITION, 'RANGE_UNKNOWN', message)
    }
    this.#structure ??= header.structure
    const bytes = this.#bytes
    let at = start
    return {
      place: (length) => partOf(bytes, at, at + length),
      write: (data) => {
        if (data.buffer !== bytes.buffer) writeBytes(bytes, data, at)
        at += data.byteLength
      },
      commit: () => Promise.resolve(receipt),
      abort: () => undefined,
    }
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  /** Resolves when a range has come or failed, or after the time. */
  async #change(afterMs: number | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake.push(resolve)
      if (afterMs !== undefined) timer = setTimeout(resolve, Math.max(0, afterMs))
    })
    clearTimeout(timer)
  }
}

const receipt: TransferReceipt = { durability: Durability.MEMORY, version: 0n }

function rangesOf(byteLength: number, rangeBytes: number): Range[] {
  return Array.from({ length: Math.ceil(byteLength / rangeBytes) }, (_, index) => {
    const start = index * rangeBytes
    return { start, byteLength: Math.min(rangeBytes, byteLength - start), asked: new Set<ObjectHolder>() }
  })
}
