import { createHash } from 'node:crypto'

import { type CheckpointInfo as WireInfo, DigestAlgorithm, Value } from '#libs/proto'
import { rpcError } from '#libs/rpc'
import type { Source, TransferHost } from '#libs/transfer'

import type { Answers } from '../core/event.js'
import type { Digest, Structure } from '../core/state.js'
import { BlobMissingError, type BlobReader } from '../storage/blob-store.js'
import { explainFailure } from './failure.js'
import { accept } from './refusal.js'
import { getToDomain, wrongDirection } from './to-domain.js'
import { infoToWire } from './to-wire.js'
import type { TransferPorts } from './transfer-ports.js'
import { startRecord, type TransferRecord } from './transfer-record.js'

/** The listening end of a Load stream: gives blobs and checkpoints. */
export function createLoadHost(ports: TransferPorts): TransferHost {
  let nextGetId = 1
  return {
    openSink: async ({ direction }) => {
      throw wrongDirection(direction)
    },
    openSource: async (open) => {
      const target = getToDomain(open)
      const record = startRecord(open, 'load', ports)
      const getId = nextGetId++
      try {
        const found = accept(await ports.loop.ask({ kind: 'getOpened', getId, target }))
        return await openBody(ports, found, getId, record)
      } catch (error) {
        ports.loop.post({ kind: 'getClosed', getId })
        const explained = explainFailure(error, ports.logger)
        record.fail(explained.message)
        throw explained
      }
    },
  }
}

async function openBody(
  ports: TransferPorts,
  found: Answers['getOpened'],
  getId: number,
  record: TransferRecord,
): Promise<Source> {
  if (found.kind === 'blob') return new BlobSource(ports, await openSound(ports, found), getId, record)
  const { version } = found
  const described = {
    structure: await readStructure(ports, version.structure),
    version: version.version,
    checkpointInfo: infoToWire(version.info),
  }
  return new BlobSource(ports, await openSound(ports, version), getId, record, described)
}

interface OpenBlob {
  readonly digest: Digest
  readonly byteLength: number
  readonly reader: BlobReader
}

/** A blob on its way from the disk. What was read is compared with its name before it is committed. */
class BlobSource implements Source {
  readonly header: Source['header']
  readonly #ports: TransferPorts
  readonly #blob: OpenBlob
  readonly #getId: number
  readonly #record: TransferRecord

  constructor(
    ports: TransferPorts,
    blob: OpenBlob,
    getId: number,
    record: TransferRecord,
    described: { structure?: Value | undefined; version?: number; checkpointInfo?: WireInfo } = {},
  ) {
    this.#ports = ports
    this.#blob = blob
    this.#getId = getId
    this.#record = record
    this.header = { ...described, byteLength: blob.byteLength, digestAlgorithm: DigestAlgorithm.SHA256 }
  }

  async *read(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* this.#blob.reader.read()
    } catch (error) {
      this.#ports.logger.error({ err: error }, 'a blob could not be read')
      throw damaged(this.#ports, this.#blob.digest, 'damaged')
    }
  }

  verify(digest: Buffer): void {
    if (digest.toString('hex') !== this.#blob.digest) throw damaged(this.#ports, this.#blob.digest, 'damaged')
    const { version } = this.header
    this.#record.finish({ byteLength: this.#blob.byteLength, ...(version === undefined ? {} : { version }) })
  }

  close(): void {
    this.#record.fail('the transfer ended before everything was sent')
    this.#ports.loop.post({ kind: 'getClosed', getId: this.#getId })
    this.#blob.reader.close().catch((err: unknown) => this.#ports.logger.warn({ err }, 'a blob could not be closed'))
  }
}

async function openSound(
  ports: TransferPorts,
  { digest, byteLength }: { readonly digest: Digest; readonly byteLength: number },
): Promise<OpenBlob> {
  let reader: BlobReader
  try {
    reader = await ports.blobs.open(digest)
  } catch (error) {
    if (error instanceof BlobMissingError) throw damaged(ports, digest, 'missing')
    throw error
  }
  if (reader.byteLength === byteLength) return { digest, byteLength, reader }
  await reader.close()
  throw damaged(ports, digest, 'damaged')
}

async function readStructure(ports: TransferPorts, structure: Structure): Promise<Value | undefined> {
  switch (structure.kind) {
    case 'none':
      return undefined
    case 'inline':
      return Value.decode(structure.bytes)
    case 'blob': {
      const { reader, digest } = await openSound(ports, structure)
      try {
        const pieces: Uint8Array[] = []
        for await (const piece of reader.read()) pieces.push(piece)
        const bytes = Buffer.concat(pieces)
        if (createHash('sha256').update(bytes).digest('hex') !== digest) throw damaged(ports, digest, 'damaged')
        return Value.decode(bytes)
      } finally {
        await reader.close()
      }
    }
    default:
      return structure satisfies never
  }
}

/** From now on the blob is not given out; the error says what to do. */
function damaged(ports: TransferPorts, digest: Digest, health: 'damaged' | 'missing'): Error {
  ports.loop.post({ kind: 'blobDamaged', digest, health })
  ports.meter.damageFound()
  ports.logger.error({ digest, health }, 'a blob is not on disk as it was stored')
  const finding = health === 'missing' ? 'is gone from the disk' : 'has changed on disk since it was stored'
  const message = `blob ${digest} ${finding}: put or save it again, or load an older version; and check the disk`
  return rpcError('DATA_LOSS', 'BLOB_DAMAGED', message, { metadata: { digest } })
}
