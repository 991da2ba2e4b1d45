import { Status } from 'nice-grpc-common'

import type { GetOptions } from './dial.js'
import { createMemorySink, type ReceivedBody } from './memory-sink.js'
import type { TransferPeer } from './pool.js'
import { TransferError } from './transfer-error.js'

/** Where an object may be had: the transfer service of a worker that holds it. */
export interface ObjectHolder {
  /** `host:port`, best first. */
  readonly addresses: readonly string[]
}

/** Who gives objects, by his addresses. */
export interface Givers {
  worker(addresses: readonly string[]): Pick<TransferPeer, 'get'>
}

/** How often everybody is asked, when what came was damaged. */
const rounds = 3

/**
 * Gets an object, or a part of it, from the first of its holders that delivers it whole. One that dies in the middle is followed by the next; when
 * bytes were damaged and nobody else has them, they are asked for again.
 *
 * @throws TransferError with the object's id: DATA_LOSS when what came was damaged each time; UNAVAILABLE or NOT_FOUND when no
 * holder could deliver it.
 */
export async function getFromHolders(
  pool: Givers,
  objectId: string,
  holders: readonly ObjectHolder[],
  options: Pick<GetOptions, 'trace' | 'range'> = {},
): Promise<ReceivedBody> {
  const failures: TransferError[] = []
  for (let round = 1; round <= rounds; round++) {
    const damaged: TransferError[] = []
    for (const { addresses } of holders) {
      try {
        return await getOnce(pool, objectId, addresses, options)
      } catch (error) {
        const failure = asTransferError(objectId, error)
        failures.push(failure)
        if (failure.code === Status.DATA_LOSS) damaged.push(failure)
      }
    }
    if (damaged.length === 0) break
  }
  const damage = failures.find(({ code }) => code === Status.DATA_LOSS)
  throw (
    damage ?? failures.at(-1) ?? new TransferError(Status.NOT_FOUND, 'NO_HOLDER', `no worker holds object ${objectId}`)
  )
}

async function getOnce(
  pool: Givers,
  objectId: string,
  addresses: readonly string[],
  options: Pick<GetOptions, 'trace' | 'range'>,
): Promise<ReceivedBody> {
  let body: ReceivedBody | undefined
  const target = { $case: 'objectId', value: objectId } as const
  await pool
    .worker(addresses)
    .get(target, (header) => createMemorySink(header, (received) => void (body = received)), options)
  if (body === undefined) throw new Error('the transfer ended without a body')
  return body
}

function asTransferError(objectId: string, error: unknown): TransferError {
  if (error instanceof TransferError) return error
  const message = `object ${objectId} could not be fetched: ${(error as Error).message}`
  return new TransferError(Status.UNAVAILABLE, 'OBJECT_UNAVAILABLE', message, { cause: error })
}

/** How often a body is put before damage on the way is somebody's to look into. */
const puts = 3

/** Puts again what arrived damaged; `put` is given a source of its own each time. */
export async function putUntilWhole<T>(put: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await put()
    } catch (error) {
      if (!isDamage(error) || attempt === puts) throw error
    }
  }
}

/** Whether what came was not what was sent. */
export function isDamage(error: unknown): boolean {
  return error instanceof TransferError && error.code === Status.DATA_LOSS
}
