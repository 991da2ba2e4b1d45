import { Status } from 'nice-grpc-common'

import type { TransferHeader } from '#libs/proto'

import type { Sink } from './endpoint.js'
import type { IncomingBody } from './incoming-body.js'
import { TransferError } from './transfer-error.js'

/** Where a body that lost its stream goes on, at the end that receives it. */
export class ResumePoint {
  /** What has come so far; nothing before the header has. */
  body: IncomingBody | undefined

  get position(): number {
    return this.body?.position ?? 0
  }

  /** Nobody goes on here. */
  abandon(): void {
    this.body?.abort()
    this.body = undefined
  }
}

/** How long to wait before a stream is dialled again to which the last one added nothing; then the get is given up. */
const pausesMs = [100, 400, 1_000]

/**
 * Gets a body over as many streams as it takes: `get` asks a stream for the rest. A stream that brings something is worth
 * another one; several in a row that bring nothing are not.
 *
 * @throws what the last stream failed with.
 */
export async function resumeGet(
  get: (point: ResumePoint) => Promise<void>,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const point = new ResumePoint()
  let idle = 0
  try {
    for (;;) {
      const before = point.position
      try {
        await get(point)
        return
      } catch (error) {
        if (point.position > before) idle = 0
        const ms = pausesMs[idle++]
        if (point.body === undefined || ms === undefined || !isLostStream(error)) throw error
        await pause(point.position > before ? 0 : ms)
      }
    }
  } finally {
    point.abandon()
  }
}

/** How far a put has come, over all its streams. */
export class PutPoint {
  /** How many bytes the other end has taken, as far as it has said. */
  acknowledged = 0
  /** Whether it has said anything: then it may have kept what came. */
  isHeard = false
}

/**
 * Puts a body over as many streams as it takes; the other end says where each goes on. Streams count as in `resumeGet`.
 *
 * @throws what the last stream failed with.
 */
export async function resumePut<Answer>(
  put: (point: PutPoint) => Promise<Answer>,
  pause: (ms: number) => Promise<void>,
): Promise<Answer> {
  const point = new PutPoint()
  let idle = 0
  for (;;) {
    const before = point.acknowledged
    try {
      return await put(point)
    } catch (error) {
      if (point.acknowledged > before) idle = 0
      const ms = pausesMs[idle++]
      if (!point.isHeard || ms === undefined || !isLostStream(error)) throw error
      await pause(point.acknowledged > before ? 0 : ms)
    }
  }
}

/** Asks again for what goes on whether or not it is asked for: the stream on which the answer was to come is gone. */
export async function askAgain<Answer>(
  ask: () => Promise<Answer>,
  pause: (ms: number) => Promise<void>,
): Promise<Answer> {
  for (const ms of pausesMs) {
    try {
      return await ask()
    } catch (error) {
      if (!isLostStream(error) || (error as TransferError).reason === noSource) throw error
      await pause(ms)
    }
  }
  return await ask()
}

/** Why an end that could be reached could not fetch a body: nobody that it was told of delivered it. */
export const noSource = 'NO_SOURCE'

/** Whether the stream broke, and not the transfer on it. */
export function isLostStream(error: unknown): boolean {
  return error instanceof TransferError && error.code === Status.UNAVAILABLE
}

/** What the sender says again when a get goes on must be what it said first. */
export function checkSameHeader(name: string, first: TransferHeader, now: TransferHeader): void {
  const keys = ['byteLength', 'digestAlgorithm', 'version'] as const
  const isSameBatch = idsOf(first) === idsOf(now)
  if (isSameBatch && keys.every((key) => first[key] === now[key])) return
  const message = `${name} has changed since its first bytes came: get it again`
  throw new TransferError(Status.ABORTED, 'BODY_CHANGED', message)
}

function idsOf({ objects }: TransferHeader): string {
  return objects.map(({ objectId }) => objectId).join()
}

/** Makes the place for a body when its header is there. */
export type OpenSink = (header: TransferHeader) => Sink | Promise<Sink>
