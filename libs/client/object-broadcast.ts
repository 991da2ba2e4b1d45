import { hostname } from 'node:os'

import { DigestAlgorithm } from '#libs/proto'
import type { ClientSession } from '#libs/session'
import { type ObjectTransfers, offerSharedBody, smallObjectBytes, xxh64Bytes, xxh64Of } from '#libs/transfer'
import type { EncodedValue } from '#libs/value'

import { broadcast, type BroadcastTarget } from './broadcast.js'

/** An object that workers hold. */
export interface HeldByWorkers {
  readonly objectId: string
  readonly byteLength: number
  readonly holders: readonly BroadcastTarget[]
}

/** Brings objects to several workers at a time, none of them sent more often than must be. */
export class ObjectBroadcast {
  readonly #objects: Pick<ObjectTransfers, 'put' | 'fetch'>
  readonly #session: Pick<ClientSession, 'id' | 'release'>
  /** What is on its way to more workers. */
  readonly #underWay = new Set<{ readonly objectId: string; isReleased: boolean }>()

  constructor(objects: Pick<ObjectTransfers, 'put' | 'fetch'>, session: Pick<ClientSession, 'id' | 'release'>) {
    this.#objects = objects
    this.#session = session
  }

  /** These were released: the copies that come after that are released as well. */
  noteReleased(objectIds: readonly string[]): void {
    for (const entry of this.#underWay) if (objectIds.includes(entry.objectId)) entry.isReleased = true
  }

  /** A value of this program. Workers on this host read it from shared memory, the others pass it on. Resolves with who has it. */
  async scatter(
    objectId: string,
    { root: structure, ...encoded }: EncodedValue,
    targets: readonly BroadcastTarget[],
  ): Promise<BroadcastTarget[]> {
    const { segments, byteLength } = encoded
    const xxh64 = xxh64Of(segments)
    const object = { objectId, structure, ...encoded, xxh64 }
    const put = ({ addresses }: BroadcastTarget): Promise<unknown> =>
      this.#objects.put(addresses, object, this.#session.id)
    if (byteLength <= smallObjectBytes) return await broadcast(targets, { byteLength }, put)
    const here = hostname()
    const unread = new Set(targets.filter(({ host }) => host === here))
    const header = { structure, byteLength, digestAlgorithm: DigestAlgorithm.XXH64 }
    const offered = unread.size > 1 ? await offerSharedBody(header, segments, xxh64Bytes(xxh64)) : undefined
    try {
      return await broadcast(targets, { byteLength, fromHost: here }, (target, sources) => {
        // Once: it may be another host of the same name.
        const shared = unread.delete(target) && offered ? [{ addresses: [], shared: offered.shared }] : []
        const all = [...shared, ...sources.map(sourceOf)]
        if (all.length === 0) return put(target)
        return this.#objects.fetch(target.addresses, objectId, all, { sessionId: this.#session.id })
      })
    } finally {
      offered?.close()
    }
  }

  /** An object that workers hold. Resolves with who has it beside them. */
  async replicate(
    { objectId, byteLength, holders }: HeldByWorkers,
    targets: readonly BroadcastTarget[],
  ): Promise<BroadcastTarget[]> {
    const fromHost = holders[0] && { fromHost: holders[0].host }
    const entry = { objectId, isReleased: false }
    this.#underWay.add(entry)
    try {
      return await broadcast(targets, { byteLength, ...fromHost }, (target, sources) =>
        this.#objects.fetch(target.addresses, objectId, [...sources, ...holders].map(sourceOf), {
          sessionId: this.#session.id,
        }),
      )
    } finally {
      this.#underWay.delete(entry)
      if (entry.isReleased) this.#session.release([objectId])
    }
  }
}

function sourceOf({ addresses }: BroadcastTarget) {
  return { addresses: [...addresses], shared: undefined }
}
