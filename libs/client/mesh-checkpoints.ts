import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'

import { CheckpointServiceDefinition, DigestAlgorithm, type TransferHeader } from '#libs/proto'
import { closeRpcChannel, createRpcChannel, createRpcClient, readRpcFailure, type Security } from '#libs/rpc'
import type { CheckpointInfo, SavedCheckpoint } from '#libs/task'
import { createMemorySink, type ReceivedBody, sourceOfSegments, TransferError, type TransferPool } from '#libs/transfer'
import { decodeValue, encodeValue, packStructure } from '#libs/value'

import type { Checkpoints } from './checkpoints.js'
import { meshErrorOf } from './mesh-error.js'

/** Saves to and loads from the mesh's checkpoint-store, straight from this program. */
export class MeshCheckpoints implements Checkpoints {
  readonly #pool: TransferPool
  readonly #security: Security
  readonly #storeAddresses: () => Promise<readonly string[]>
  #channel: ReturnType<typeof createRpcChannel> | undefined

  constructor(pool: TransferPool, security: Security, storeAddresses: () => Promise<readonly string[]>) {
    this.#pool = pool
    this.#security = security
    this.#storeAddresses = storeAddresses
  }

  async save(name: string, value: unknown, info: CheckpointInfo = {}): Promise<number> {
    const { root: structure, segments, byteLength } = packStructure(encodeValue(value, `the checkpoint '${name}'`))
    const { iteration, cost, labels = {} } = info
    const known = {
      iteration: iteration === undefined ? undefined : BigInt(iteration),
      cost,
      labels: new Map(Object.entries(labels)),
    }
    const header = { structure, byteLength, digestAlgorithm: DigestAlgorithm.SHA256 }
    try {
      const stream = this.#pool.store(await this.#storeAddresses(), 'save')
      const target = { $case: 'checkpoint', value: { name, version: 0n, info: known } } as const
      const receipt = await stream.put(target, sourceOfSegments(header, segments), { requestId: randomUUID() })
      return Number(receipt.version)
    } catch (error) {
      throw meshErrorOf(error)
    }
  }

  async load<T>(name: string): Promise<SavedCheckpoint<T> | undefined> {
    const found: { header?: TransferHeader; body?: ReceivedBody } = {}
    try {
      const stream = this.#pool.store(await this.#storeAddresses(), 'load')
      await stream.get({ $case: 'checkpoint', value: { name, version: 0n, info: undefined } }, (header) => {
        found.header = header
        return createMemorySink(header, (body) => void (found.body = body))
      })
    } catch (error) {
      if (error instanceof TransferError && error.code === Status.NOT_FOUND) return undefined
      throw meshErrorOf(error)
    }
    const { header, body } = found
    if (header === undefined || body?.structure === undefined) return undefined
    const { iteration, cost } = header.checkpointInfo ?? {}
    return {
      state: decodeValue(body.structure, body.bytes, { view: true, what: `the checkpoint '${name}'` }) as T,
      version: Number(header.version),
      ...(iteration === undefined ? {} : { iteration: Number(iteration) }),
      ...(cost === undefined ? {} : { cost }),
    }
  }

  async delete(name: string): Promise<void> {
    const security = this.#security
    this.#channel ??= createRpcChannel(this.#storeAddresses, {
      security,
      serverRole: 'checkpointStore',
      kind: 'control',
    })
    const store = createRpcClient(CheckpointServiceDefinition, this.#channel)
    try {
      await store.deleteCheckpoint({ name, requestId: randomUUID() })
    } catch (error) {
      if (readRpcFailure(error).code !== 'NOT_FOUND') throw meshErrorOf(error)
    }
  }

  close(): void {
    if (this.#channel) closeRpcChannel(this.#channel)
  }
}
