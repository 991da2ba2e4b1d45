import { xxh64 } from '@node-rs/xxhash'
import { LRUCache } from 'lru-cache'

import { DigestAlgorithm, type TransferHeader, type TransferOpen, type TransferReceipt, Value } from '#libs/proto'

import { type Body, sizeOf } from '../core/state.js'
import { checksumOf, inlineBody, inlineBytes } from './body-writer.js'
import { explainFailure } from './failure.js'
import { accept } from './refusal.js'
import { type IncomingPut, putToDomain } from './to-domain.js'
import type { TransferPorts } from './transfer-ports.js'
import { startRecord } from './transfer-record.js'

/**
 * Saves a checkpoint that came whole and is short enough for the catalogue: one question to the core, a share of one flush.
 * Nothing when it is not one.
 */
export function saveSmall(
  ports: TransferPorts,
  open: TransferOpen,
  header: TransferHeader,
  data: Buffer,
  digest: Buffer,
): Promise<TransferReceipt> | undefined {
  if (open.target?.$case !== 'checkpoint' || data.byteLength > inlineBytes) return undefined
  const structure = header.structure && bodyOfStructure(header.structure)
  if (structure && structure.byteLength > inlineBytes) return undefined
  const put = putToDomain(open, header)
  if (put.kind !== 'checkpoint') return undefined
  const isKnown = header.digestAlgorithm === DigestAlgorithm.XXH64
  const body = inlineBody(data, isKnown ? digest.toString('hex') : checksumOf(xxh64(data)))
  return save(ports, open, put, { body, structure })
}

/** Versions of one name, and of its like, mostly have the same structure: they share its bytes and what was digested of them. */
const structures = new LRUCache<string, Body>({ max: 256 })

function bodyOfStructure(structure: Value): Body {
  const bytes = Buffer.from(Value.encode(structure).finish())
  if (bytes.byteLength > sharedStructureBytes) return inlineBody(bytes, checksumOf(xxh64(bytes)))
  const key = bytes.toString('latin1')
  let body = structures.get(key)
  if (body === undefined) structures.set(key, (body = inlineBody(bytes, checksumOf(xxh64(bytes)))))
  return body
}

/** A longer structure is hardly that of another version. */
const sharedStructureBytes = 256

async function save(
  ports: TransferPorts,
  open: TransferOpen,
  target: IncomingPut & { readonly kind: 'checkpoint' },
  bodies: { readonly body: Body; readonly structure: Body | undefined },
): Promise<TransferReceipt> {
  const { loop, durability, pass } = ports
  const record = startRecord(open, 'save', ports)
  try {
    const { version } = accept(
      await loop.ask({
        kind: 'checkpointCame',
        target,
        ...bodies,
        info: target.info,
      }),
    )
    record.finish({ byteLength: sizeOf(bodies), version })
    pass('after-answer')
    return { durability, version: BigInt(version) }
  } catch (error) {
    const explained = explainFailure(error, ports)
    record.fail(explained.message)
    throw explained
  }
}
