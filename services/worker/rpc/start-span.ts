import { hostname } from 'node:os'

import type { WorkerId } from '#libs/domain'
import { attribute, recordSpan, stage, traceFromEnv } from '#libs/telemetry'

/** What the start of a worker belongs to. */
export interface Start {
  readonly workerId: WorkerId
  /** The environment carries the trace over sbatch, which has no message. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** When the process began, epoch ms. */
  readonly startedAtMs: number
  readonly jobId: string
}

/** Says once, when the worker is linked, how long its start took: from the beginning of its process. Nothing without a trace. */
export function createStartSpan({ workerId, env, startedAtMs, jobId }: Start): (linkedAtMs: number) => void {
  let isSaid = false
  const parent = traceFromEnv(env)
  return (linkedAtMs) => {
    if (isSaid || parent['traceparent'] === undefined) return
    isSaid = true
    recordSpan({
      ...{ name: stage.workerStart, parent, startMs: startedAtMs, endMs: linkedAtMs },
      attributes: {
        [attribute.workerId]: workerId,
        [attribute.hostName]: hostname(),
        ...(jobId === '' ? {} : { [attribute.slurmJobId]: jobId }),
      },
    })
  }
}
