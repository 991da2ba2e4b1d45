import { Status } from 'nice-grpc-common'

import type { TransferOpen } from '#libs/proto'

import { ResumePoint } from './resume.js'
import { nameOf } from './target-name.js'
import { TransferError } from './transfer-error.js'

/** How much of what came is kept, and for how long. The last one is kept however long it is: what is longest costs most to send again. */
export interface CutPutsLimits {
  readonly mostBytes: number
  readonly keepMs: number
}

/** A put that a listener receives. */
export interface IncomingPut {
  /** Ends it from outside. */
  fail(error: Error): void
  /** Receives from the point on, and leaves there what came when the stream is lost. */
  receive(point: ResumePoint): Promise<unknown>
}

interface Cut {
  readonly point: ResumePoint
  readonly timer: NodeJS.Timeout
}

/** The puts of a listener by their request ids: one that loses its stream goes on with the next one where it was. */
export class CutPuts {
  readonly #limits: CutPutsLimits
  readonly #underWay = new Map<string, { readonly put: IncomingPut; readonly over: Promise<void> }>()
  /** Oldest first. */
  readonly #cut = new Map<string, Cut>()

  constructor(limits: CutPutsLimits) {
    this.#limits = limits
  }

  /** How many bytes of memory or disk wait for their puts to go on. */
  get byteLength(): number {
    let sum = 0
    for (const { point } of this.#cut.values()) sum += point.body?.byteLength ?? 0
    return sum
  }

  /** Receives a put, from where it was if it goes on. */
  async receive(open: TransferOpen, put: IncomingPut): Promise<void> {
    if (open.requestId === '') {
      await put.receive(new ResumePoint())
      return
    }
    const key = keyOf(open)
    // This end may not have seen yet that the connection is gone.
    if (open.resumes) await this.#cutOff(key)
    const point = this.#take(key)
    if (!open.resumes) point.abandon()
    const received = put.receive(point).finally(() => {
      if (point.body) this.#keep(key, point)
    })
    const entry = { put, over: received.then(ignore, ignore) }
    this.#underWay.set(key, entry)
    try {
      await received
    } finally {
      if (this.#underWay.get(key) === entry) this.#underWay.delete(key)
    }
  }

  async #cutOff(key: string): Promise<void> {
    const underWay = this.#underWay.get(key)
    if (underWay === undefined) return
    underWay.put.fail(new TransferError(Status.UNAVAILABLE, 'STREAM_REPLACED', 'the put goes on with another stream'))
    await underWay.over
  }

  #take(key: string): ResumePoint {
    const cut = this.#cut.get(key)
    if (cut === undefined) return new ResumePoint()
    clearTimeout(cut.timer)
    this.#cut.delete(key)
    return cut.point
  }

  #keep(key: string, point: ResumePoint): void {
    this.#take(key).abandon()
    const timer = setTimeout(() => this.#take(key).abandon(), this.#limits.keepMs).unref()
    this.#cut.set(key, { point, timer })
    for (const oldest of this.#cut.keys()) {
      if (this.byteLength <= this.#limits.mostBytes || oldest === key) return
      this.#take(oldest).abandon()
    }
  }
}

/** A request id alone may be anybody's. */
function keyOf(open: TransferOpen): string {
  return `${open.requestId} ${open.sessionId} ${nameOf(open)}`
}

function ignore(): void {}
