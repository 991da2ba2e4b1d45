import { waitForAddress } from '#libs/lifecycle'
import { SchedulerServiceDefinition, type WatchDemandResponse } from '#libs/proto'
import { closeRpcChannel, createRpcChannel, createRpcClient, type Security } from '#libs/rpc'

/** Where the scheduler is looked for. */
export interface SchedulerPlace {
  readonly meshDir: string
  /** Dialled if given; else the mesh folder says where the scheduler listens. */
  readonly schedulerAddress: readonly string[] | undefined
}

/**
 * The scheduler's demand, the level at once and then each change, until the stream breaks or the signal aborts. Looks for
 * the scheduler anew each time, since one that was started again may listen elsewhere.
 */
export async function* streamDemand(
  { meshDir, schedulerAddress }: SchedulerPlace,
  security: Security,
  signal: AbortSignal,
): AsyncGenerator<WatchDemandResponse, void, undefined> {
  const addresses = schedulerAddress ?? (await waitForAddress(meshDir, 'scheduler', signal)).addresses
  const channel = createRpcChannel(addresses, { security, serverRole: 'scheduler', kind: 'control' })
  try {
    yield* createRpcClient(SchedulerServiceDefinition, channel).watchDemand({}, { signal })
  } finally {
    closeRpcChannel(channel)
  }
}
