import { Xxh64 } from '@node-rs/xxhash'

import { DigestAlgorithm, type TransferReceipt, Value } from '#libs/proto'
import { rpcError } from '#libs/rpc'
import type { Sink, TransferHost } from '#libs/transfer'

import type { Digest } from '../core/state.js'
import { BodyWriter, checksumOf, type WrittenBody } from './body-writer.js'
import { explainFailure } from './failure.js'
import { accept } from './refusal.js'
import { saveSmall } from './save-small.js'
import { type IncomingPut, putToDomain, wrongDirection } from './to-domain.js'
import type { TransferPorts } from './transfer-ports.js'
import { startRecord, type TransferRecord } from './transfer-record.js'

/** The listening end of a Save stream: takes puts of blobs and checkpoints. */
export function createSaveHost(ports: TransferPorts): TransferHost {
  let nextPutId = 1
  return {
    storeWhole: (open, header, data, digest) => saveSmall(ports, open, header, data, digest),
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
        const isHere = async (digest: Digest): Promise<boolean> =>
          accept(await ports.loop.ask({ kind: 'chunkSought', putId, digest }))
        const createWriter = (length: number): Promise<BodyWriter> => BodyWriter.create({ ...ports, isHere }, length)
        const writer = await createWriter(Number(header.byteLength))
        const hasher = header.digestAlgorithm === DigestAlgorithm.XXH64 ? undefined : new Xxh64()
        return new PutSink(ports, { putId, put, structure, byteLength, hasher, createWriter }, writer, record)
      } catch (error) {
        ports.loop.post({ kind: 'putAborted', putId, orphans: [] })
        const explained = explainFailure(error, ports)
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
  /** Of body and structure. */
  readonly byteLength: number
  /** For a body that is not digested so on its way. */
  readonly hasher: Xxh64 | undefined
  readonly createWriter: (byteLength: number) => Promise<BodyWriter>
}

/** A blob or checkpoint on its way to the disk. */
class PutSink implements Sink {
  readonly #ports: TransferPorts
  readonly #open: OpenPut
  readonly #writers: BodyWriter[]
  readonly #writer: BodyWriter
  readonly #record: TransferRecord
  /** What was made visible, and no version has yet. */
  #orphans: readonly Digest[] = []

  constructor(ports: TransferPorts, open: OpenPut, writer: BodyWriter, record: TransferRecord) {
    this.#ports = ports
    this.#open = open
    this.#writer = writer
    this.#writers = [writer]
    this.#record = record
  }

  place(byteLength: number): Uint8Array {
    return this.#writer.place(byteLength)
  }

  async write(data: Uint8Array): Promise<void> {
    try {
      this.#open.hasher?.update(data)
      await this.#writer.write(data)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  async commit(digest: Buffer): Promise<TransferReceipt> {
    const { put, byteLength, hasher } = this.#open
    const checksum = hasher ? checksumOf(hasher.digest()) : digest.toString('hex')
    try {
      const version =
        put.kind === 'blob'
          ? await this.#storeBlob(put, digest.toString('hex'), checksum)
          : await this.#storeCheckpoint(put, checksum)
      this.#record.finish({ byteLength, version })
      return { durability: this.#ports.durability, version: BigInt(version) }
    } catch (error) {
      throw this.#explain(error)
    }
  }

  abort(): void {
    const { loop, logger } = this.#ports
    this.#record.fail('the transfer ended before its commit')
    Promise.all(this.#writers.map((writer) => writer.discard()))
      .catch((err: unknown) =>
        logger.warn({ err }, 'a temporary file could not be deleted; the next start tries again'),
      )
      .finally(() => loop.post({ kind: 'putAborted', putId: this.#open.putId, orphans: this.#orphans }))
  }

  async #storeBlob(put: IncomingPut & { readonly kind: 'blob' }, digest: string, checksum: string): Promise<number> {
    if (digest !== put.digest) {
      const message = `the bytes that came have the digest ${digest}, not the announced ${put.digest}: look at what was sent`
      throw rpcError('INVALID_ARGUMENT', 'DIGEST_MISMATCH', message)
    }
    const { putId } = this.#open
    const whole = await this.#writer.finish(checksum, digest)
    await this.#publish([whole], async () => {
      const { claimant } = put
      const claimed = claimant === undefined ? {} : { claimant }
      accept(await this.#ports.loop.ask({ kind: 'blobStored', putId, body: whole.body, ...claimed }))
    })
    return 0
  }

  async #storeCheckpoint(target: IncomingPut & { readonly kind: 'checkpoint' }, checksum: string): Promise<number> {
    const { putId } = this.#open
    const [whole, structure] = await Promise.all([this.#writer.finish(checksum), this.#writeStructure()])
    const bodies = { body: whole.body, structure: structure?.body }
    return await this.#publish(structure ? [whole, structure] : [whole], async () => {
      const stored = { kind: 'checkpointStored', putId, target, ...bodies, info: target.info } as const
      return accept(await this.#ports.loop.ask(stored)).version
    })
  }

  async #writeStructure(): Promise<WrittenBody | undefined> {
    const { structure, createWriter } = this.#open
    if (structure === undefined) return undefined
    const writer = await createWriter(structure.byteLength)
    this.#writers.push(writer)
    await writer.write(structure)
    return await writer.finish(checksumOf(new Xxh64().update(structure).digest()))
  }

  /** Makes the chunks visible, and then what they belong to. Nobody deletes one of them in between. */
  async #publish<Result>(bodies: readonly WrittenBody[], decide: () => Promise<Result>): Promise<Result> {
    const { locks, chunks, pass } = this.#ports
    const written = bodies.flatMap((body) => body.written)
    const digests = written.map(({ digest }) => digest)
    return await locks.hold(digests, async () => {
      this.#orphans = digests
      await chunks.publish(written)
      pass('before-decision')
      const decided = await decide()
      this.#orphans = []
      pass('after-answer')
      return decided
    })
  }

  #explain(error: unknown): Error {
    const explained = explainFailure(error, this.#ports)
    this.#record.fail(explained.message)
    return explained
  }
}
