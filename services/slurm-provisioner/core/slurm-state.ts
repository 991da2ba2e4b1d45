import type { EndingKind } from './allocation.js'

/** What a state of SLURM means to a provisioner. */
export type Meaning = 'pending' | 'running' | 'ending' | { readonly ended: EndingKind }

const meanings: Readonly<Record<string, Meaning>> = {
  PENDING: 'pending',
  // The nodes are there, and boot or are set up.
  CONFIGURING: 'pending',
  REQUEUED: 'pending',
  REQUEUE_FED: 'pending',
  REQUEUE_HOLD: 'pending',
  SPECIAL_EXIT: 'pending',
  RESV_DEL_HOLD: 'pending',
  RUNNING: 'running',
  SUSPENDED: 'running',
  STOPPED: 'running',
  RESIZING: 'running',
  SIGNALING: 'running',
  COMPLETING: 'ending',
  STAGE_OUT: 'ending',
  COMPLETED: { ended: 'completed' },
  FAILED: { ended: 'failed' },
  CANCELLED: { ended: 'cancelled' },
  TIMEOUT: { ended: 'timeout' },
  DEADLINE: { ended: 'timeout' },
  PREEMPTED: { ended: 'preempted' },
  NODE_FAIL: { ended: 'nodeFailure' },
  BOOT_FAIL: { ended: 'nodeFailure' },
  OUT_OF_MEMORY: { ended: 'outOfMemory' },
  REVOKED: { ended: 'cancelled' },
}

/** What a state means; one that is unknown says nothing. sacct writes `CANCELLED by 1000`. */
export function meaningOf(state: string): Meaning | undefined {
  return meanings[state.split(' ')[0] ?? '']
}

/** Reasons for which a job would wait for ever, whatever becomes free. */
const hopelessReasons: ReadonlySet<string> = new Set([
  ...['DependencyNeverSatisfied', 'PartitionTimeLimit', 'PartitionNodeLimit', 'BadConstraints', 'InvalidAccount'],
  ...['InvalidQOS', 'AccountNotAllowed', 'QOSNotAllowed', 'JobHoldMaxRequeue', 'launch failed requeued held'],
  ...['AssocMaxWallDurationPerJobLimit', 'QOSMaxWallDurationPerJobLimit', 'ReservationDeleted'],
])

/** Whether a job that waits for this reason never starts. */
export function isHopeless(reason: string): boolean {
  return hopelessReasons.has(reason.replaceAll('_', ' ')) || hopelessReasons.has(reason)
}
