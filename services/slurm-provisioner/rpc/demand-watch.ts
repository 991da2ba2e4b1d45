import type { WatchDemandResponse } from '#libs/proto'
import { readRpcFailure, type RpcFailure } from '#libs/rpc'

/** What a watch of demand needs and whom it tells. */
export interface DemandWatchPorts {
  readonly open: (signal: AbortSignal) => AsyncIterable<WatchDemandResponse>
  readonly onDemand: (demand: WatchDemandResponse) => void
  /** The stream broke (or could not be opened) and is tried again after the pause. */
  readonly onLost: (failure: RpcFailure, pauseMs: number) => void
  readonly pause: (durationMs: number, signal: AbortSignal) => Promise<void>
  /** In [0, 1). */
  readonly random: () => number
}

const firstPauseMs = 200
const longestPauseMs = 10_000

/** What no later attempt can mend: the wrong secret, role or version, or a scheduler that does not know the call. */
const refusals: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'UNIMPLEMENTED',
  'FAILED_PRECONDITION',
])

/**
 * Watches demand until the signal aborts, over as many streams as it takes: a broken one is opened again after a pause that
 * grows from 0.2 to 10 s (half of it random, so that a restarted scheduler is not met by all at once).
 *
 * @returns the failure by which the scheduler refused the watch for good, or nothing when the signal aborted.
 * @throws what is no failure of a call, such as a mesh folder that cannot be read.
 */
export async function watchDemand(ports: DemandWatchPorts, signal: AbortSignal): Promise<RpcFailure | undefined> {
  const isStopped = (): boolean => signal.aborted
  for (let failures = 0; ; failures++) {
    let failure: RpcFailure
    try {
      for await (const demand of ports.open(signal)) {
        failures = 0
        ports.onDemand(demand)
      }
      if (isStopped()) return undefined
      failure = { code: 'UNAVAILABLE', reason: undefined, message: 'the scheduler ended the stream', ...noDetails }
    } catch (error) {
      if (isStopped()) return undefined
      failure = readRpcFailure(error)
      // Our servers never answer UNKNOWN: this came from here, and another attempt would only hide it.
      if (failure.code === 'UNKNOWN') throw error
    }
    if (refusals.has(failure.code)) return failure
    const ceilingMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures)
    const pauseMs = Math.max(failure.retryDelayMs ?? 0, ceilingMs * (0.5 + 0.5 * ports.random()))
    ports.onLost(failure, pauseMs)
    try {
      await ports.pause(pauseMs, signal)
    } catch (error) {
      if (isStopped()) return undefined
      throw error
    }
  }
}

const noDetails = { metadata: {}, retryDelayMs: undefined } as const
