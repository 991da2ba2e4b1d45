/** What a worker says of itself with each heartbeat. */
export interface WorkerPulse {
  /** Resident memory of its process. */
  readonly rssBytes: number
  /** Objects that it holds in memory, and on its disk. */
  readonly heldBytes: number
  readonly spilledBytes: number
  /** How late its event loop was at worst since the last one. */
  readonly loopLagMs: number
  /** Its memory is nearly full: it gets no tasks meanwhile. */
  readonly isPaused: boolean
  /** The most resident memory so far, when it says. */
  readonly peakRssBytes?: number
  /** How fast it gets large inputs from elsewhere, once it has got one. */
  readonly fetchBytesPerSecond?: number
}

/** Of a worker that has said nothing yet. */
export const unheardPulse: WorkerPulse = { rssBytes: 0, heldBytes: 0, spilledBytes: 0, loopLagMs: 0, isPaused: false }
