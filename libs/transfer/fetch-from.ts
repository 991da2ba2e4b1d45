import { Status } from 'nice-grpc-common'

import type { TransferSource } from '#libs/proto'

import type { GetOptions } from './dial.js'
import type { Givers } from './holders.js'
import { isLostStream, noSource, type OpenSink, ResumePoint } from './resume.js'
import { type BodyPlace, takeSharedBody } from './shared-body.js'
import { TransferError } from './transfer-error.js'

/** How often all sources are asked in a row of which none brings anything. */
const idleRounds = 3
const pauseMs = 100

/**
 * Gets an object into its place, from the first source that delivers it: a holder, or somebody who is still
 * receiving it. One that dies is followed by the next, which goes on where it was; after damage the next one starts again.
 *
 * @throws TransferError with the object's id: DATA_LOSS when what came was damaged each time; UNAVAILABLE with the reason
 * NO_SOURCE when no source delivered it; and whatever `place` refuses it with.
 */
export async function fetchFrom(
  pool: Givers,
  objectId: string,
  sources: readonly TransferSource[],
  place: BodyPlace,
  options: Pick<GetOptions, 'signal' | 'trace'> = {},
): Promise<void> {
  const target = { $case: 'objectId', value: objectId } as const
  const point = new ResumePoint()
  const refused = new Set<unknown>()
  const openOnce: OpenSink = async (header) => {
    try {
      return await place.open(header)
    } catch (error) {
      refused.add(error)
      throw error
    }
  }
  let damage: TransferError | undefined
  let last: unknown
  try {
    for (let idle = 0; idle < idleRounds;) {
      const before = point.position
      let isOver = true
      for (const { addresses, shared } of sources) {
        try {
          if (shared && (await takeSharedBody(objectId, shared, { ...place, open: openOnce }))) return
          if (addresses.length === 0) continue
          await pool.worker(addresses).get(target, openOnce, { ...options, awaits: true, resume: point })
          return
        } catch (error) {
          // Nobody else would find a place for it here.
          if (refused.has(error) || options.signal?.aborted) throw error
          last = error
          const isDamaged = error instanceof TransferError && error.code === Status.DATA_LOSS
          if (isDamaged) damage = error
          if (isDamaged || isLostStream(error)) isOver = false
        }
      }
      if (isOver) break
      idle = point.position > before ? 0 : idle + 1
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  } finally {
    point.abandon()
  }
  if (damage) throw damage
  const message = `object ${objectId} could not be fetched from ${sources.length} sources: ${(last as Error | undefined)?.message ?? 'none was named'}`
  throw new TransferError(Status.UNAVAILABLE, noSource, message, { cause: last })
}
