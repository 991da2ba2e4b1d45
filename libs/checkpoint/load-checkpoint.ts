import { Status } from 'nice-grpc-common'

import type { Bytes } from '#libs/memory'
import type { TransferHeader, Value } from '#libs/proto'
import { createMemorySink, type ReceivedBody, TransferError, type TransferPeer } from '#libs/transfer'

/** A version of a checkpoint as it was saved. */
export interface LoadedBody {
  readonly structure: Value
  readonly bytes: Bytes<ArrayBuffer>
  readonly version: number
  readonly iteration?: number
  readonly cost?: number
  readonly labels: Readonly<Record<string, string>>
}

/** Loads a version of a checkpoint on a load stream of the store, the newest unless given; nothing when there is none. */
export async function loadCheckpoint(
  store: Pick<TransferPeer, 'get'>,
  name: string,
  version = 0,
  trace?: Readonly<Record<string, string>>,
): Promise<LoadedBody | undefined> {
  const found: { header?: TransferHeader; body?: ReceivedBody } = {}
  const value = { name, version: BigInt(version), info: undefined, writerToken: 0n, etag: '' }
  try {
    await store.get(
      { $case: 'checkpoint', value },
      (header) => {
        found.header = header
        return createMemorySink(header, (body) => {
          found.body = body
        })
      },
      { trace },
    )
  } catch (error) {
    if (error instanceof TransferError && error.code === Status.NOT_FOUND) return undefined
    throw error
  }
  const { header, body } = found
  if (header === undefined || body?.structure === undefined) return undefined
  const info = header.checkpointInfo
  return {
    structure: body.structure,
    bytes: body.bytes,
    version: Number(header.version),
    ...(info?.iteration === undefined ? {} : { iteration: Number(info.iteration) }),
    ...(info?.cost === undefined ? {} : { cost: info.cost }),
    labels: Object.fromEntries(info?.labels ?? []),
  }
}
