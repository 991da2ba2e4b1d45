import { waitForAddress } from '#libs/lifecycle'
import { checkHello, makeHello, SchedulerServiceDefinition, type WatchDemandResponse } from '#libs/proto'
import { closeRpcChannel, createRpcChannel, createRpcClient, rpcError, type Security } from '#libs/rpc'

import type { Work } from '../core/state.js'

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
    const request = { hello: makeHello() }
    yield* checkVersions(createRpcClient(SchedulerServiceDefinition, channel).watchDemand(request, { signal }))
  } finally {
    closeRpcChannel(channel)
  }
}

/** Passes the levels on, if the scheduler that says the first of them speaks as we do. */
export async function* checkVersions(
  levels: AsyncIterable<WatchDemandResponse>,
): AsyncGenerator<WatchDemandResponse, void, undefined> {
  let checked = false
  for await (const level of levels) {
    const { hello } = level
    // A scheduler from before it said so speaks the first protocol.
    const mismatch = checked || !hello ? undefined : checkHello(hello, 'the provisioner', 'the scheduler')
    if (mismatch) throw rpcError('FAILED_PRECONDITION', 'PROTOCOL_MISMATCH', mismatch)
    checked = true
    yield level
  }
}

/** The demand as the core hears it. A scheduler that measures no run times says nothing of them. */
export function demandToDomain({ wantedSlots, measuredSlots, measuredWork }: WatchDemandResponse): {
  readonly wantedSlots: number
  readonly work?: Work
} {
  if (measuredSlots === 0 || measuredWork === undefined) return { wantedSlots }
  const totalMs = Number(measuredWork.seconds) * 1000 + measuredWork.nanos / 1e6
  return { wantedSlots, work: { slots: measuredSlots, totalMs } }
}
