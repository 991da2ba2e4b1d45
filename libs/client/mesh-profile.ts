import { type CpuSamples, type JobProfile, profileJob, readFamily, readSamples } from '#libs/profile'
import { MeshJob } from '#libs/submission'
import type { Job } from '#libs/task'

import type { WorkerInfo } from './cluster.js'
import type { MeshConnection } from './mesh-connection.js'
import { meshErrorOf } from './mesh-error.js'

/** A job, or its id or the name that it is pinned under. */
export type NamedJob = Job | string

/** Asks the scheduler when what happened to the tasks of a job, and makes its profile. */
export async function profileMeshJob(
  connection: MeshConnection,
  named: NamedJob,
  workers: readonly WorkerInfo[],
): Promise<JobProfile> {
  if (typeof named !== 'string') await named.submitted
  const jobId = typeof named === 'string' ? named : named.id
  const { jobs, omitted } = await readFamily(connection.scheduler, jobId).catch((error: unknown) => {
    throw meshErrorOf(error)
  })
  const notes = omitted > 0 ? [forgottenJobs(omitted)] : []
  const jobIds = jobs.map((job) => job.jobId)
  const cpu = await readSamples(connection.checkpoints, jobIds).catch((error: unknown): CpuSamples | undefined => {
    notes.push(`samples of its tasks, if there are any, could not be loaded: ${(error as Error).message}`)
    return undefined
  })
  const mine = typeof named === 'string' ? connection.jobs.get(jobs[0].jobId) : named
  return profileJob(jobs, {
    workers,
    gatherMs: mine instanceof MeshJob ? mine.gatherMs : undefined,
    nowMs: Date.now(),
    cpu,
    notes,
  })
}

function forgottenJobs(count: number): string {
  return `${count} jobs that its tasks submitted are forgotten or too many, and do not count`
}
