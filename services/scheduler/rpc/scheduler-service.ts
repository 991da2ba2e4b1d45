import type { Durability, SchedulerServiceDefinition, SchedulerServiceImplementation } from '#libs/proto'
import type { MethodName, Role } from '#libs/rpc'

import type { JobWaiters } from '../effects/job-waiters.js'
import type { Peers } from '../effects/peers.js'
import type { Loop } from '../loop.js'
import { createJobMethods } from './jobs.js'
import { createLinkMethod } from './link.js'
import { createObjectMethods } from './objects.js'
import { createSessionMethod } from './session.js'
import { createTaskAnswers } from './task-answers.js'
import { createTaskMethods } from './tasks.js'
import { createTimingMethods } from './timings.js'
import { createWorkerMethods } from './workers.js'

const readers: readonly Role[] = ['client', 'admin', 'observer']
const writers: readonly Role[] = ['client', 'admin']

/** Who may call what; a method that is missing here is denied to everybody. */
export const schedulerRoles: Record<MethodName<typeof SchedulerServiceDefinition>, readonly Role[]> = {
  submitJob: writers,
  getJob: readers,
  listJobs: readers,
  cancelJob: writers,
  waitJob: readers,
  watchJob: readers,
  getTask: readers,
  listTasks: readers,
  explainTask: readers,
  getTaskStory: readers,
  listTaskTimings: readers,
  getTaskCall: writers,
  registerTask: writers,
  listRegisteredTasks: readers,
  listWorkers: [...readers, 'provisioner'],
  drainWorker: [...writers, 'provisioner'],
  persistJob: writers,
  scatterBlobs: writers,
  archiveObjects: writers,
  // Of jobs that its tasks submit, and of no others.
  session: [...writers, 'worker'],
  link: ['worker'],
  watchDemand: ['provisioner', ...readers],
}

/** The service's methods, joined. */
export function createSchedulerService(
  loop: Loop,
  peers: Peers,
  waiters: JobWaiters,
  mesh: { readonly name: string; readonly durability: Durability },
): SchedulerServiceImplementation {
  return {
    ...createJobMethods(loop, waiters, mesh.durability),
    ...createTaskMethods(loop),
    ...createTaskAnswers(loop),
    ...createTimingMethods(loop),
    ...createWorkerMethods(loop, peers),
    ...createObjectMethods(loop),
    session: createSessionMethod(loop, peers, mesh),
    link: createLinkMethod(loop, peers),
  }
}
