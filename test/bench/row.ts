import type { DaskInstallation } from './dask-peer.js'
import type { Measurement } from './measurement.js'
import type { Target } from './target.js'

/** What a row finds around it. */
export interface RowContext {
  /** How often each side is counted; undefined for the default, see `compare`. */
  readonly repeats: number | undefined
  /** The rival, where it is installed. */
  readonly dask: DaskInstallation | undefined
  /** A monotonic clock, in milliseconds. */
  readonly nowMs: () => number
  /** Where the row's clusters put their logs and traces: a folder of the row's own, empty at its start. */
  readonly runDir: string
  /** A line of progress. */
  readonly say: (text: string) => void
}

/** One line of the table. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly target: Target
  measure(context: RowContext): Promise<Measurement>
}
