import type { Cluster, LocalClusterOptions } from 'costate'
import type { RunProgress } from 'costate/primitives'

import type { Markup } from '../report/markup.js'
import type { Tile } from '../report/tiles.js'
import type { Check } from './check.js'

/** What a demo is given to run with. */
export interface Setting {
  /** Less work: small enough for a test. */
  readonly isReduced: boolean
  /** Everything runs in this process: there is no worker to look at, to add or to kill. */
  readonly isInline: boolean
  /** False where the system refuses to start processes. The bundler, which tells whether code has changed, is one. */
  readonly canStartProcesses: boolean
  /** The folder of the run, which stays. */
  readonly folder: string
  /** `createLocalCluster(options)`, or `createInlineCluster()` on an inline run. */
  readonly startCluster: (options?: LocalClusterOptions) => Promise<Cluster>
  /** Tells people what comes next. */
  readonly say: (text: string) => void
  /** A progress bar; what it gives is what primitives take as `onProgress`. */
  readonly follow: (label: string, unit?: string) => (progress: RunProgress) => void
}

/** A program that shows one thing, and what its report says of it. */
export interface Demo<R = unknown> {
  /** As in `make demo NAME=…`. */
  readonly name: string
  readonly title: string
  /** What it shows, in a few sentences. */
  readonly summary: string
  /** The file to read. */
  readonly source: string
  compute(setting: Setting): Promise<R>
  /** Holds the result against the references. */
  check(result: R): readonly Check[]
  tiles(result: R): readonly Tile[]
  pictures(result: R): readonly Markup[]
}
