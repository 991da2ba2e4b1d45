import { createHash } from 'node:crypto'

import {
  type CheckpointServiceImplementation,
  type DeepPartial,
  Health,
  type VerifyCheckpointsResponse,
} from '#libs/proto'

import { namesUnder } from '../core/names.js'
import { type Body, type ChunkRef, chunksOf, type Digest } from '../core/state.js'
import { ChunkMissingError, createReadMemory, type ReadMemory } from '../storage/chunk-store.js'
import { checkpointToWire } from './to-wire.js'
import type { TransferPorts } from './transfer-ports.js'

type Verdict = DeepPartial<VerifyCheckpointsResponse>
type Found = 'sound' | 'damaged' | 'missing'
type LookPorts = TransferPorts & { readonly memory: ReadMemory }

/**
 * Reads everything under a prefix and compares it with its digests: each chunk once. What is not as it was stored is not
 * given out any more; what was found so before and is sound now is.
 */
export function createVerifyCheckpoints(ports: TransferPorts): CheckpointServiceImplementation['verifyCheckpoints'] {
  const { state } = ports.loop
  return async function* ({ prefix }, { signal }) {
    const memory = createReadMemory()
    const known = new Map<Digest, Found>()
    for (const name of namesUnder(state.names, prefix)) {
      for (const { version } of [...(state.checkpoints.get(name)?.versions ?? [])]) {
        const found = state.checkpoints.get(name)?.versions.find((other) => other.version === version)
        if (found === undefined) continue
        const health = await verify({ ...ports, memory }, known, [found.body, found.structure], signal)
        // What was dropped meanwhile may have lost its chunks on the way.
        if (!state.checkpoints.get(name)?.versions.includes(found)) continue
        const checkpoint = checkpointToWire({ name, version: found })
        yield verdictOn({ $case: 'checkpoint', value: checkpoint }, health, 'load an older version, or save it again')
      }
    }
    if (prefix !== '') return
    for (const [digest, blob] of [...state.blobs]) {
      const health = await verify({ ...ports, memory }, known, [blob.body], signal)
      if (state.blobs.has(digest)) yield verdictOn({ $case: 'blobDigest', value: digest }, health, 'put it again')
    }
  }
}

function verdictOn(
  target: NonNullable<VerifyCheckpointsResponse['target']>,
  { found, bytesRead }: { readonly found: Found; readonly bytesRead: number },
  advice: string,
): Verdict {
  const finding =
    found === 'missing' ? 'a part of it is gone from the disk' : 'it has changed on disk since it was stored'
  const message = found === 'sound' ? '' : `${finding}: ${advice}; and check the disk`
  return { target, health: healthOf(found), message, bytesRead: BigInt(bytesRead) }
}

function healthOf(found: Found): Health {
  switch (found) {
    case 'sound':
      return Health.SOUND
    case 'damaged':
      return Health.DAMAGED
    case 'missing':
      return Health.MISSING
    default:
      return found satisfies never
  }
}

async function verify(
  ports: LookPorts,
  known: Map<Digest, Found>,
  bodies: readonly (Body | undefined)[],
  signal: AbortSignal,
): Promise<{ found: Found; bytesRead: number }> {
  let worst: Found = 'sound'
  let bytesRead = 0
  for (const chunk of chunksOf(...bodies)) {
    signal.throwIfAborted()
    let found = known.get(chunk.digest)
    if (found === undefined) {
      // Nobody removes it while it is read.
      found = await ports.locks.hold([chunk.digest], () => look(ports, chunk))
      bytesRead += chunk.byteLength
      known.set(chunk.digest, found)
      if (found !== 'sound') ports.meter.damageFound()
      ports.loop.post({ kind: 'chunkExamined', digest: chunk.digest, health: found })
    }
    if (worst === 'sound' || found === 'missing') worst = found
  }
  return { found: worst, bytesRead }
}

async function look({ chunks, logger, memory }: LookPorts, { digest, byteLength }: ChunkRef): Promise<Found> {
  const hash = createHash('sha256')
  let length = 0
  try {
    for await (const piece of chunks.read(digest, memory)) {
      hash.update(piece)
      length += piece.byteLength
    }
  } catch (error) {
    if (error instanceof ChunkMissingError) return 'missing'
    logger.error({ err: error, digest }, 'a chunk could not be read')
    return 'damaged'
  }
  return length === byteLength && hash.digest('hex') === digest ? 'sound' : 'damaged'
}
