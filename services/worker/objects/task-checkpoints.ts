import { randomUUID } from 'node:crypto'
import { Status } from 'nice-grpc-common'

import { DigestAlgorithm, type TransferHeader } from '#libs/proto'
import { createMemorySink, type ReceivedBody, sourceOfSegments, TransferError, type TransferPool } from '#libs/transfer'

import type { CheckpointCall, LoadedCheckpoint } from '../exec/slot-messages.js'

/** Saves and loads tasks' own checkpoints in the checkpoint-store, straight from this worker. */
export function createTaskCheckpoints(
  pool: TransferPool,
  storeAddresses: () => Promise<readonly string[]>,
): (taskId: string, call: CheckpointCall) => Promise<LoadedCheckpoint | undefined> {
  return async (taskId, call) => {
    const at = taskId.lastIndexOf('/')
    const name = `jobs/${taskId.slice(0, at)}/tasks/${taskId.slice(at + 1)}`
    if (call.kind === 'load') return await load(name)
    const { structure, bytes, info } = call
    const header = {
      structure,
      byteLength: bytes.byteLength,
      digestAlgorithm: DigestAlgorithm.SHA256,
    }
    const target = {
      name,
      version: 0n,
      info: {
        iteration: info.iteration === undefined ? undefined : BigInt(info.iteration),
        cost: info.cost,
        labels: new Map(Object.entries(info.labels ?? {})),
      },
    }
    const stream = pool.store(await storeAddresses(), 'save')
    await stream.put({ $case: 'checkpoint', value: target }, sourceOfSegments(header, [bytes]), {
      requestId: randomUUID(),
    })
    return undefined
  }

  async function load(name: string): Promise<LoadedCheckpoint | undefined> {
    const found: { header?: TransferHeader; body?: ReceivedBody } = {}
    const stream = pool.store(await storeAddresses(), 'load')
    try {
      await stream.get({ $case: 'checkpoint', value: { name, version: 0n, info: undefined } }, (header) => {
        found.header = header
        return createMemorySink(header, (body) => {
          found.body = body
        })
      })
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
    }
  }
}
