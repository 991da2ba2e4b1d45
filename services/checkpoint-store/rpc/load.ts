import { type CheckpointInfo as WireInfo, DigestAlgorithm, Value } from '#libs/proto'
import type { Source, TransferHost } from '#libs/transfer'

import type { Answers } from '../core/event.js'
import type { Body } from '../core/state.js'
import { readBody, readWhole } from './body-reader.js'
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
        const explained = explainFailure(error, ports)
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
  if (found.kind === 'blob') return new BodySource(ports, found.body, getId, record)
  const { version } = found
  const { structure } = version
  return new BodySource(ports, version.body, getId, record, {
    structure: structure && Value.decode(await readWhole(ports, structure)),
    version: version.version,
    checkpointInfo: infoToWire(version.info),
  })
}

interface Described {
  readonly structure: Value | undefined
  readonly version: number
  readonly checkpointInfo: WireInfo
}

/**
 * A body on its way from the disk. Its digest is known: a blob's name, else its checksum. Nothing is digested again for the
 * other end to compare with; what is read is compared chunk by chunk.
 */
class BodySource implements Source {
  readonly header: Source['header']
  readonly digest: Buffer
  readonly reusesMemory = true
  readonly #ports: TransferPorts
  readonly #body: Body
  readonly #getId: number
  readonly #record: TransferRecord

  constructor(ports: TransferPorts, body: Body, getId: number, record: TransferRecord, described?: Described) {
    this.#ports = ports
    this.#body = body
    this.#getId = getId
    this.#record = record
    const digestAlgorithm = described ? DigestAlgorithm.XXH64 : DigestAlgorithm.SHA256
    this.header = { ...described, byteLength: body.byteLength, digestAlgorithm }
    this.digest = Buffer.from(described ? body.checksum : body.digest, 'hex')
  }

  read(offset: number): AsyncIterable<Uint8Array> {
    return readBody(this.#ports, this.#body, offset)
  }

  verify(): void {
    const { version } = this.header
    this.#record.finish({ byteLength: this.#body.byteLength, ...(version === undefined ? {} : { version }) })
  }

  sentPart(): void {
    this.verify()
  }

  close(): void {
    this.#record.fail('the transfer ended before everything was sent')
    this.#ports.loop.post({ kind: 'getClosed', getId: this.#getId })
  }
}
