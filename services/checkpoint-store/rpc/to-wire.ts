import type { Checkpoint, CheckpointInfo as WireInfo } from '#libs/proto'

import type { NamedVersion } from '../core/event.js'
import type { CheckpointInfo } from '../core/state.js'

export function checkpointToWire({ name, version }: NamedVersion): Checkpoint {
  const { savedAtMs } = version
  const seconds = Math.floor(savedAtMs / 1000)
  return {
    name,
    version: BigInt(version.version),
    byteLength: BigInt(version.byteLength),
    digest: version.digest,
    info: infoToWire(version.info),
    savedAt: { seconds: BigInt(seconds), nanos: Math.round((savedAtMs - seconds * 1000) * 1e6) },
  }
}

export function infoToWire({ iteration, cost, labels }: CheckpointInfo): WireInfo {
  return { iteration, cost, labels: new Map(labels) }
}
