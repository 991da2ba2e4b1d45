import { createHash } from 'node:crypto'

import { type TransferReceipt, Value } from '#libs/proto'
import { rpcError } from '#libs/rpc'
import type { Sink, TransferHost } from '#libs/transfer'

import type { Structure } from '../core/state.js'
import type { BlobWriter } from '../storage/blob-store.js'
import { explainFailure } from './failure.js'
import { accept } from './refusal.js'
import { type IncomingPut, putToDomain, wrongDirection } from './to-domain.js'
import type { TransferPorts } from './transfer-ports.js'
import { startRecord, type TransferRecord } from './transfer-record.js'

/** Structures up to this many bytes lie in the catalogue, longer ones in a blob of their own: the catalogue is in memory. */
const inlineStructureBytes = 4096

/** The listening end of a Save stream: takes puts of blobs and checkpoints. */
export function createSaveHost(ports: TransferPorts): TransferHost {
  let nextPutId = 1
  return {
    openSource: async ({ direction }) => {
      throw wrongDirection(direction)
    },
    openSink: async (open, header) => {
      const put = putToDomain(open, header)
      const structure =
        header.structure === undefined ? undefined : Buffer.from(Value.encode(header.structure).finish())
      const record = startRecord(open, 'save', ports)
      const putId = nextPutId++
      const byteLength = Number(header.byteLength) + (structure?.byteLength ?? 0)
      try {
        const opened = accept(await ports.loop.ask({ kind: 'putOpened', putId, target: put, byteLength }))
        if (opened.kind === 'alreadyStored') {
          record.finish({ byteLength: 0, version: opened.version })
          return { durability: ports.durability, version: BigInt(opened.version) }
        }
        const writer = await ports.blobs.create()
        return new PutSink(ports, { putId, put, structure, byteLength: Number(header.byteLength) }, writer, record)
      } catch (error) {
        ports.loop.post({ kind: 'putAborted', putId })
        const explained = explainFailure(error, ports.logger)
        record.fail(explained.message)
        throw explained
      }
    },
  }
}

interface OpenPut {
  readonly putId: number
  readonly put: IncomingPut
  /** Serialized. */
  readonly structure: Buffer | undefined
  readonly byteLength: number
}

/** A blob or checkpoint on its way to the disk. */
class PutSink implements Sink {
  readonly #ports: TransferPorts
  readonly #open: OpenPut
  readonly #writer: BlobWriter
  readonly #record: TransferRecord

  constructor(ports: TransferPorts, open: OpenPut, writer: BlobWriter, record: TransferRecord) {
    this.#ports = ports
    this.#open = open
    this.#writer = writer
    this.#record = record
  }

  async write(data: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(data)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  async commit(digest: Buffer): Promise<TransferReceipt> {
    const { put, byteLength } = this.#open
    const name = digest.toString('hex')
    try {
      const version = put.kind === 'blob' ? await this.#storeBlob(put, name) : await this.#storeCheckpoint(put, name)
      this.#record.finish({ byteLength, version })
      return { durability: this.#ports.durability, version: BigInt(version) }
    } catch (error) {
      throw this.#explain(error)
    }
  }

  abort(): void {
    this.#ports.loop.post({ kind: 'putAborted', putId: this.#open.putId })
    this.#record.fail('the transfer ended before its commit')
    this.#writer
      .abort()
      .catch((err: unknown) => this.#ports.logger.warn({ err }, 'a temporary file could not be deleted'))
  }

  async #storeBlob(put: IncomingPut & { readonly kind: 'blob' }, digest: string): Promise<number> {
    if (digest !== put.digest) {
      const message = `the bytes that came have the digest ${digest}, not the announced ${put.digest}: look at what was sent`
      throw rpcError('INVALID_ARGUMENT', 'DIGEST_MISMATCH', message)
    }
    const { loop, locks } = this.#ports
    const { putId, byteLength } = this.#open
    await locks.hold([digest], async () => {
      await this.#writer.commit(digest)
      accept(await loop.ask({ kind: 'blobStored', putId, digest, byteLength }))
    })
    return 0
  }

  async #storeCheckpoint(put: IncomingPut & { readonly kind: 'checkpoint' }, digest: string): Promise<number> {
    const { loop, locks } = this.#ports
    const { putId, byteLength } = this.#open
    const { requestId, name, info } = put
    const structure = structureOf(this.#open.structure)
    const digests = structure.kind === 'blob' ? [digest, structure.digest] : [digest]
    return await locks.hold(digests, async () => {
      await this.#writer.commit(digest)
      if (structure.kind === 'blob') await this.#writeStructure(structure.digest)
      const saved = { kind: 'checkpointStored', putId, requestId, name, digest, byteLength, structure, info } as const
      return accept(await loop.ask(saved)).version
    })
  }

  async #writeStructure(digest: string): Promise<void> {
    const writer = await this.#ports.blobs.create()
    try {
      await writer.write(this.#open.structure!)
      await writer.commit(digest)
    } catch (error) {
      await writer.abort()
      throw error
    }
  }

  #explain(error: unknown): Error {
    const explained = explainFailure(error, this.#ports.logger)
    this.#record.fail(explained.message)
    return explained
  }
}

function structureOf(serialized: Buffer | undefined): Structure {
  if (serialized === undefined) return { kind: 'none' }
  // A copy: what came in is a part of a larger buffer.
  if (serialized.byteLength <= inlineStructureBytes) return { kind: 'inline', bytes: Uint8Array.from(serialized) }
  const digest = createHash('sha256').update(serialized).digest('hex')
  return { kind: 'blob', digest, byteLength: serialized.byteLength }
}
