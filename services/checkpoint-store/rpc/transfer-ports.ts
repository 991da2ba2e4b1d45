import type { Clock } from '#libs/lifecycle'
import type { Durability } from '#libs/proto'
import type { Logger } from '#libs/telemetry'

import type { Loop } from '../loop.js'
import type { Meter } from '../metrics.js'
import type { BlobStore } from '../storage/blob-store.js'
import type { DigestLocks } from '../storage/digest-locks.js'

/** What saving and loading work with. */
export interface TransferPorts {
  readonly loop: Loop
  readonly blobs: BlobStore
  readonly locks: DigestLocks
  readonly clock: Clock
  readonly meter: Meter
  readonly logger: Logger
  /** How safe what is acknowledged is. */
  readonly durability: Durability
}
