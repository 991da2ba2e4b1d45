import { type JobProfile, type JobTimes, profileJob } from '#libs/profile'
import { MeshJob } from '#libs/submission'
import { MeshError } from '#libs/task'

import type { WorkerInfo } from './cluster.js'
import type { InlineState } from './inline-cluster.js'
import type { NamedJob } from './mesh-profile.js'

const note =
  'an inline cluster runs one task after the other in this process: nothing runs in parallel, transfers are copies within the ' +
  'process, and its memory is that of the whole program'

/** The profile of a job of this process, as far as there is one. */
export function profileInlineJob(
  { jobs, times, samples }: Pick<InlineState, 'jobs' | 'times' | 'samples'>,
  named: NamedJob,
  workers: readonly WorkerInfo[],
): JobProfile {
  const job = typeof named === 'string' ? jobs.get(named) : named
  const first = job && timesOf(job.id)
  if (job === undefined || first === undefined) {
    const name = typeof named === 'string' ? named : named.id
    throw new MeshError('NOT_FOUND', 'JOB_NOT_FOUND', `job ${name} is unknown`)
  }
  const family: [JobTimes, ...JobTimes[]] = [first]
  for (const { tasks } of family) {
    for (const { childJobIds } of tasks) family.push(...childJobIds.flatMap((id) => timesOf(id) ?? []))
  }
  const gatherMs = job instanceof MeshJob ? job.gatherMs : undefined
  return profileJob(family, { workers, gatherMs, nowMs: Date.now(), cpu: samples.get(job.id)?.total(), notes: [note] })

  function timesOf(jobId: string): JobTimes | undefined {
    return times.get(jobId)?.of((id) => times.get(id)?.ranMs ?? 0)
  }
}
