import type { Clock } from '#libs/lifecycle'
import type { Durability } from '#libs/proto'
import type { Logger } from '#libs/telemetry'

import type { Loop } from '../loop.js'
import type { Meter } from '../metrics.js'
import type { BufferPool } from '../storage/buffer-pool.js'
import type { ChunkStore, ReadMemoryPool } from '../storage/chunk-store.js'
import type { DigestLocks } from '../storage/digest-locks.js'
import type { Pass } from '../storage/failpoint.js'

/** What saving and loading work with. */
export interface TransferPorts {
  readonly loop: Loop
  readonly chunks: ChunkStore
  readonly buffers: BufferPool
  readonly readMemory: ReadMemoryPool
  readonly locks: DigestLocks
  readonly clock: Clock
  readonly meter: Meter
  readonly logger: Logger
  /** How safe what is acknowledged is. */
  readonly durability: Durability
  readonly pass: Pass
  /** The process must end: nobody knows any more what the disk has. */
  readonly onFatal: (error: unknown) => void
}
