import type { JobProfile } from 'costate'

import type { Machine, Versions } from '../report/machine.js'

/** Everything that the report of one run is drawn from. Values that do not exist (a failed task's objective) are NaN. */
export interface ReportData {
  readonly run: {
    readonly id: string
    /** ISO 8601, the moment that `startMs` and `endMs` of the tasks count from: the first submit. */
    readonly startedAt: string
    readonly command: string
    /** Wall time from the first submit until the last result was in hand. */
    readonly durationMs: number
  }
  readonly machine: Machine
  readonly versions: Versions
  readonly workers: readonly ReportWorker[]
  readonly tasks: readonly ReportTask[]
  readonly trajectories: readonly ReportTrajectory[]
  /** In the order in which a task passes through them. */
  readonly phases: readonly ReportPhase[]
  /** What the cluster said of the job, when it could. */
  readonly profile?: JobProfile
  /** The same problems, solved again from their neighbours, when that was asked for. */
  readonly warm?: { readonly tasks: readonly ReportTask[]; readonly durationMs: number }
  readonly traceFiles: readonly ReportTraceFile[]
  readonly jobId: string
  readonly traceId: string
  /** What prints the span tree. */
  readonly traceCommand: string
}

export type ProblemName = 'brysonDenham' | 'vanDerPol' | 'rayleigh'

/** Workers are listed even when they ran nothing: an idle slot is something to see. */
export interface ReportWorker {
  readonly id: string
  readonly slots: number
}

export interface ReportTask {
  readonly index: number
  readonly problem: ProblemName
  /** By name, such as `stateBound` (ℓ) of Bryson–Denham and `horizon` (T) of the others. */
  readonly parameters: Readonly<Record<string, number | string>>
  readonly status: 'finished' | 'failed' | 'cancelled'
  /** Empty for a task that never reached a worker; its times are NaN then. */
  readonly workerId: string
  /** Counted from 0 within the worker. */
  readonly slot: number
  readonly startMs: number
  readonly endMs: number
  readonly objective: number
  readonly published: number
  readonly publishedSource: string
  readonly relativeTolerance: number
  readonly relativeError: number
  readonly withinTolerance: boolean
  /** Of the mesh that the answer comes from; 0 for a task without an answer, and so the iterations. */
  readonly intervals: number
  readonly iterations: number
  readonly failure?: { readonly kind: string; readonly message: string }
}

export interface ReportTrajectory {
  readonly problem: ProblemName
  readonly label: string
  /** The task that it comes from: its parameters and its error are drawn with it. */
  readonly taskIndex: number
  /** Increasing, n values. */
  readonly t: Float64Array
  /** Row-major, n × stateSize. */
  readonly x: Float64Array
  /** Row-major, n × controlSize at the points of `t`, or (n − 1) × controlSize when constant between them. */
  readonly u: Float64Array
  readonly stateSize: number
  readonly controlSize: number
}

export interface ReportPhase {
  readonly name: string
  readonly medianMs: number
  readonly totalMs: number
}

export interface ReportTraceFile {
  readonly process: string
  /** Relative to the folder of the report. */
  readonly path: string
}
