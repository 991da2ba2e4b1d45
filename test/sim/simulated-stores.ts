import type { ObjectId, SessionId } from '#libs/domain'

import type { StoredReport } from '../../services/scheduler/core/event.js'
import type { Report } from './messages.js'
import { heldToScheduler } from './order-translation.js'
import type { Surroundings } from './surroundings.js'

/** A report of an object that came here, which the scheduler has not acknowledged. */
interface PendingStore {
  readonly requestId: string
  readonly sessionId: SessionId | undefined
  readonly objectId: ObjectId
  readonly acknowledged: () => void
  /** On the link that is open now, or in its hello. */
  said: boolean
}

/** What they need of their worker. */
interface Storing {
  readonly objects: Map<ObjectId, number>
  now(): { readonly isAlive: boolean; readonly isLinked: boolean; readonly isPartitioned: boolean }
  /** Whether it has the task whose result that is. */
  isOrdered(objectId: ObjectId): boolean
  report(report: Report): void
  later(delayMs: number, act: () => void): void
}

/** Objects that clients put into a worker, or had it get from another one, and how the scheduler hears of them. */
export class SimulatedStores {
  readonly #around: Surroundings
  readonly #worker: Storing
  readonly #pending = new Map<string, PendingStore>()
  /** Results that other workers made. */
  readonly #copies = new Set<ObjectId>()
  #copyCount = 0

  constructor(around: Surroundings, worker: Storing) {
    this.#around = around
    this.#worker = worker
  }

  get size(): number {
    return this.#pending.size
  }

  put(objectId: ObjectId, value: number, sessionId: SessionId, acknowledged: () => void): void {
    if (!this.#worker.now().isAlive) return
    this.#worker.objects.set(objectId, value)
    this.#announce({ requestId: `stored-${objectId}`, sessionId, objectId, acknowledged, said: false })
  }

  /** Gets what another worker holds, if one does when it is asked. */
  copy(objectId: ObjectId, sessionId: SessionId): void {
    const { world, workers } = this.#around
    if (!this.#worker.now().isAlive) return
    this.#worker.later(world.between(1, 300), () => {
      const { objects } = this.#worker
      if (this.#worker.now().isPartitioned || this.#worker.isOrdered(objectId)) return
      const reachable = [...workers.values()].filter((other) => !other.isPartitioned)
      const value = objects.get(objectId) ?? reachable.flatMap((other) => other.objects.get(objectId) ?? [])[0]
      if (value === undefined) return
      const isResult = objectId.includes('/')
      if (!objects.has(objectId)) {
        objects.set(objectId, value)
        if (isResult) this.#copies.add(objectId)
      }
      const requestId = `copied-${objectId}-${++this.#copyCount}`
      this.#announce({
        ...{ requestId, objectId },
        sessionId: isResult ? undefined : sessionId,
        ...{ acknowledged: () => undefined, said: false },
      })
    })
  }

  /** They are made here: what was copied of their results counts no more. */
  dropCopies(taskIds: Iterable<string>): void {
    for (const taskId of taskIds)
      if (this.#copies.delete(taskId as ObjectId)) this.#worker.objects.delete(taskId as ObjectId)
  }

  release(objectIds: readonly ObjectId[]): void {
    for (const objectId of objectIds) {
      this.#worker.objects.delete(objectId)
      this.#copies.delete(objectId)
    }
  }

  acknowledge(requestId: string): void {
    this.#pending.get(requestId)?.acknowledged()
    this.#pending.delete(requestId)
  }

  /** What a hello repeats, and which objects are in it. */
  repeat(): { readonly reports: StoredReport[]; readonly objectIds: ReadonlySet<ObjectId> } {
    this.#forgetDropped()
    const pending = [...this.#pending.values()]
    for (const each of pending) each.said = true
    return {
      reports: pending.map((each) => this.#reportOf(each)),
      objectIds: new Set(pending.map(({ objectId }) => objectId)),
    }
  }

  /** What came between the hello and its answer. */
  catchUp(): void {
    this.#forgetDropped()
    for (const pending of this.#pending.values()) if (!pending.said) this.#say(pending)
  }

  #announce(pending: PendingStore): void {
    this.#pending.set(pending.requestId, pending)
    this.#say(pending)
  }

  #say(pending: PendingStore): void {
    if (!this.#worker.now().isLinked) return
    pending.said = true
    this.#worker.report({ kind: 'stored', ...this.#reportOf(pending) })
  }

  #reportOf({ requestId, sessionId, objectId }: PendingStore): StoredReport {
    return { requestId, sessionId, objects: heldToScheduler(objectId, this.#worker.objects.get(objectId) ?? 0) }
  }

  /** What is not here any more is not announced. */
  #forgetDropped(): void {
    for (const { requestId, objectId } of this.#pending.values()) {
      if (!this.#worker.objects.has(objectId)) this.acknowledge(requestId)
    }
  }
}
