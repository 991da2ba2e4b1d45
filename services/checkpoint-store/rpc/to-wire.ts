import type { Checkpoint, CheckpointInfo as WireInfo } from '#libs/proto'

import type { NamedVersion } from '../core/event.js'
import { type CheckpointInfo, etagOf } from '../core/state.js'

export function checkpointToWire({ name, version }: NamedVersion): Checkpoint {
  const { savedAtMs, body, structure, info, writerToken } = version
  const seconds = Math.floor(savedAtMs / 1000)
  return {
    name,
    version: BigInt(version.version),
    byteLength: BigInt(body.byteLength),
    digest: body.digest,
    info: infoToWire(info),
    savedAt: { seconds: BigInt(seconds), nanos: Math.round((savedAtMs - seconds * 1000) * 1e6) },
    etag: etagOf(version),
    writerToken: BigInt(writerToken),
    structureByteLength: BigInt(structure?.byteLength ?? 0),
  }
}

export function infoToWire({ iteration, cost, labels }: CheckpointInfo): WireInfo {
  return { iteration, cost, labels: new Map(labels) }
}
