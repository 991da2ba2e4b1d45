import type { WorkerId } from '#libs/domain'

import { isUnarchived } from './archives.js'
import { countNames, countOf, rootOf } from './counts.js'
import { findObject, isAvailable, isLost, isScattered, isWanted, objectIdOf, type ObjectEntity } from './lookup.js'
import { specBytes } from './spec-size.js'
import { fits } from './resources.js'
import { demandOfTask, isKept, takesShort } from './slots.js'
import type { Job, State, Task, TaskCounts, Worker } from './state.js'

/** What must be true after every event. Throws on what is not; called by tests and always by the simulator. */
export function checkInvariants(state: State): void {
  const queued = queuedTasks(state)
  const totals = noCounts()
  const onWorkers = countOnWorkers(state)
  checkQueuedByDemand(state)
  if (state.bereft.size > 0) fail('jobs of settled tasks are not ended')
  for (const job of state.jobs.values()) {
    checkCounts(job, totals)
    checkFamily(state, job, onWorkers)
    if (state.jobsByRequest.get(job.requestId) !== job.spec.jobId) fail(`job ${job.spec.jobId} is not known by request`)
    for (const task of job.tasks) {
      checkTask(state, task, queued)
      checkEntity(state, task)
    }
  }
  for (const name of countNames) {
    if (totals[name] !== state.counts[name]) fail(`all jobs count ${state.counts[name]} ${name}, not ${totals[name]}`)
  }
  checkUnsettledBytes(state)
  if (state.requests.size > state.policy.rememberRequests) fail(`${state.requests.size} requests are remembered`)
  for (const object of state.objects.values()) checkEntity(state, object)
  for (const worker of state.workers.values()) checkWorker(state, worker)
  checkAttached(state)
  for (const [name, jobId] of state.persisted) if (!state.jobs.has(jobId)) fail(`the pinned job ${name} is forgotten`)
  if (state.jobsByRequest.size !== state.jobs.size) fail('a request outlived its job')
}

/** By the first job of each family. */
function countOnWorkers({ jobs }: State): Map<Job, number> {
  const counts = new Map<Job, number>()
  for (const job of jobs.values()) {
    const root = rootOf(job)
    for (const { status } of job.tasks) {
      if (countOf(status) === 'running') counts.set(root, (counts.get(root) ?? 0) + 1)
    }
  }
  return counts
}

/** By the first job of each family, and by demand. */
function checkQueuedByDemand({ jobs }: State): void {
  const counts = new Map<Job, Map<string, number>>()
  for (const job of jobs.values()) {
    const root = rootOf(job)
    const ofRoot = counts.get(root) ?? new Map<string, number>()
    counts.set(root, ofRoot)
    for (const task of job.tasks) {
      if (task.status.kind !== 'queued' || task.spec.needs === undefined || task.suspect) continue
      const { key } = demandOfTask(task)
      ofRoot.set(key, (ofRoot.get(key) ?? 0) + 1)
    }
  }
  for (const [{ spec, queuedByDemand }, real] of counts) {
    for (const key of new Set([...queuedByDemand.keys(), ...real.keys()])) {
      const [counted, there] = [queuedByDemand.get(key) ?? 0, real.get(key) ?? 0]
      if (counted !== there)
        fail(`the family of job ${spec.jobId} counts ${counted} queued tasks of ${key}, not ${there}`)
    }
  }
}

/** What a restart waits for: those that are there, and those that the last one still waits for. */
function checkAttached({ workers, attached, awaited, resyncUntilMs }: State): void {
  for (const workerId of attached.keys()) {
    if (workers.has(workerId) === awaited.has(workerId)) fail(`${workerId} is attached, but neither here nor awaited`)
  }
  if (workers.size + awaited.size !== attached.size) fail('a worker is here or awaited, but not attached')
  if (awaited.size > 0 !== (resyncUntilMs !== undefined)) fail(`${awaited.size} workers are awaited wrongly`)
}

function checkUnsettledBytes({ jobs, unsettledBytes }: State): void {
  let real = 0
  for (const { tasks } of jobs.values()) {
    for (const { status, spec } of tasks) if (status.kind !== 'settled') real += specBytes(spec)
  }
  if (real !== unsettledBytes) fail(`unsettled tasks take ${real} bytes, but count ${unsettledBytes}`)
}

function queuedTasks({ queue, suspects, holderLines }: State): Set<Task> {
  const queued = new Set<Task>()
  for (const { task } of suspects.values()) check(task.suspect, task, 'is queued to run alone for no reason')
  for (const { task } of queue.values()) check(!task.suspect, task, 'is suspect, but does not wait to run alone')
  for (const { task } of holderLines.values()) check(!task.suspect, task, 'is suspect, but waits for a holder')
  for (const { task } of [...suspects.values(), ...queue.values(), ...holderLines.values()]) {
    check(!queued.has(task), task, 'is queued twice')
    queued.add(task)
  }
  return queued
}

function checkCounts({ spec, tasks, counts, settledAtMs, unreleased }: Job, totals: TaskCounts): void {
  const real = noCounts()
  for (const { status } of tasks) real[countOf(status)]++
  for (const name of countNames) {
    totals[name] += real[name]
    if (real[name] !== counts[name]) fail(`job ${spec.jobId} counts ${counts[name]} ${name}, but has ${real[name]}`)
  }
  const open = real.waiting + real.queued + real.running
  if ((open === 0) !== (settledAtMs !== undefined)) fail(`job ${spec.jobId} is settled wrongly`)
  if (tasks.filter(({ released }) => !released).length !== unreleased) fail(`job ${spec.jobId} counts releases wrongly`)
}

function checkTask(state: State, task: Task, queued: ReadonlySet<Task>): void {
  const { status } = task
  if (isUnarchived(state, task) && task.holders?.size)
    check(state.archiving.awaited.get(task.job)?.has(task) === true, task, 'is to be durable, and nobody sees to it')
  if (status.kind === 'settled') return
  const inputs = [...new Set(task.spec.dependencies)].map((id) => findObject(state, id))
  for (const input of inputs)
    if (input) check(input.dependents?.has(task) === true, task, 'is no dependent of its input')
  switch (status.kind) {
    case 'waiting': {
      const missing = inputs.filter((input) => input === undefined || !isAvailable(input)).length
      check(missing === status.missing, task, `waits for ${status.missing} inputs, but ${missing} are missing`)
      check(missing > 0, task, 'waits for nothing')
      return
    }
    case 'delayed':
      check(state.delayed.has(task), task, 'is delayed, but nobody wakes it')
      return
    case 'queued':
      check(queued.has(task), task, 'is queued, but not in the queue')
      return
    case 'assigned':
    case 'running': {
      const there = state.workers.get(status.workerId)?.tasks.has(task) === true
      check(there, task, `is on ${status.workerId}, which has it not`)
      check(!task.adoptable, task, 'is on one worker and may be taken by another')
      for (const input of status.behind) {
        const isThere = isOnWorker(input, status.workerId) && input.dependents?.has(task) === true
        check(isThere, task, `was sent ahead of ${objectIdOf(input)}, which is not made there`)
      }
      return
    }
    case 'awaiting': {
      const worker = state.workers.get(status.workerId)
      check(worker?.awaiting.has(task) === true, task, `waits on ${status.workerId}, which has it not`)
      check(worker?.woken.has(task) === (status.wokenAtMs !== undefined), task, 'wants to go on, and nobody knows')
      check(!task.adoptable, task, 'is on one worker and may be taken by another')
      return
    }
    default:
      status satisfies never
  }
}

/** Jobs end with the task that submitted them; a family counts what it has on workers. */
function checkFamily(state: State, job: Job, onWorkers: ReadonlyMap<Job, number>): void {
  const { spec, parent, root, settledAtMs } = job
  if (job.onWorkers !== (onWorkers.get(job) ?? 0)) fail(`the family of job ${spec.jobId} counts its tasks wrongly`)
  if (parent === undefined) return
  const { jobId } = spec
  if (state.jobs.get(parent.job.spec.jobId) !== parent.job) fail(`job ${jobId} is of a job that is forgotten`)
  if (!parent.children?.has(job)) fail(`job ${jobId} is unknown to the task that submitted it`)
  if (spec.detached) return
  if (root !== rootOf(parent.job)) fail(`job ${jobId} is in another family than the task that submitted it`)
  if (parent.status.kind !== 'settled' || settledAtMs !== undefined) return
  // What was done and is lost is computed again when another job takes it, whether the parent is over or not.
  const isNew = ({ status, attempt }: Task): boolean => status.kind !== 'settled' && attempt === 0
  if (job.tasks.some(isNew)) fail(`job ${jobId} outlives its parent`)
}

function checkEntity(state: State, entity: ObjectEntity): void {
  if (!entity.dependents?.size && !entity.holders?.size && !isLost(entity)) return
  const objectId = objectIdOf(entity)
  for (const dependent of entity.dependents ?? []) {
    const settled = dependent.status.kind === 'settled'
    if (settled || !dependent.spec.dependencies.includes(objectId)) fail(`${objectId} is kept for nobody`)
  }
  for (const workerId of entity.holders ?? []) {
    if (!state.workers.get(workerId)?.objects.has(objectId))
      fail(`${objectId} is held by ${workerId}, which has it not`)
  }
  if (!isWanted(entity) && entity.holders?.size) fail(`${objectId} is held, but nobody wants it`)
  if (isScattered(entity)) {
    if (!isWanted(entity)) fail(`${objectId} is known, but nobody wants it`)
  } else {
    const { status } = entity
    if (entity.holders?.size && status.kind !== 'settled') fail(`${objectId} is held, but not computed`)
    const expected = state.resyncUntilMs !== undefined
    if (!expected && isLost(entity) && isWanted(entity)) fail(`${objectId} is lost, and nobody computes it again`)
  }
}

function checkWorker(state: State, worker: Worker): void {
  const { profile, tasks, objects, longTasks, shortMs, suspects } = worker
  const { workerId } = profile
  let long = 0
  let ms = 0
  let followers = 0
  let followersMs = 0
  for (const task of tasks) {
    const { status } = task
    const here = (status.kind === 'assigned' || status.kind === 'running') && status.workerId === workerId
    check(here, task, `is kept by ${workerId}, where it is not`)
    if (!here) continue
    if (status.behind.length > 0) {
      followers++
      followersMs += status.expectedMs ?? 0
    } else if (status.expectedMs === undefined) long++
    else ms += status.expectedMs
  }
  if (followers !== worker.followers || Math.abs(followersMs - worker.followersMs) > 1e-6)
    fail(`${workerId} counts wrongly what waits behind its inputs`)
  for (const tail of worker.tails) check(tasks.has(tail), tail, `is a tail on ${workerId}, which has it not`)
  if (long !== longTasks || Math.abs(ms - shortMs) > 1e-6) fail(`${workerId} counts its work wrongly`)
  for (const { status } of worker.awaiting) {
    if (status.kind !== 'awaiting' || status.workerId !== workerId)
      fail(`${workerId} keeps a task that does not wait there`)
  }
  if (state.waking.has(worker) !== worker.woken.size > 0) fail(`nobody wakes the tasks on ${workerId}`)
  if ([...tasks].filter(({ suspect }) => suspect).length !== suspects) fail(`${workerId} counts suspects wrongly`)
  if (takesShort(worker) && !state.vacancies.has(worker)) fail(`${workerId} has room, but nobody finds it`)
  checkResources(state, worker)
  for (const objectId of objects) {
    if (!findObject(state, objectId)?.holders?.has(workerId)) fail(`${workerId} holds stray ${objectId}`)
  }
}

function checkResources(state: State, worker: Worker): void {
  const { profile, tasks, extraSlots, recalled } = worker
  const { workerId } = profile
  const used = new Map<string, number>()
  let slots = 0
  for (const task of tasks) {
    const { shape } = demandOfTask(task)
    slots += shape.slots - 1
    for (const [name, amount] of shape.others) used.set(name, (used.get(name) ?? 0) + amount)
  }
  for (const task of worker.awaiting) {
    for (const [name, amount] of demandOfTask(task).shape.others) {
      if (isKept(name)) used.set(name, (used.get(name) ?? 0) + amount)
    }
  }
  if (slots !== extraSlots) fail(`${workerId} counts ${extraSlots} more slots than tasks, not ${slots}`)
  for (const name of new Set([...used.keys(), ...worker.used.keys()])) {
    const [counted, real] = [worker.used.get(name) ?? 0, used.get(name) ?? 0]
    if (Math.abs(counted - real) > 1e-6) fail(`${workerId} counts ${counted} of ${name}, but ${real} are taken`)
  }
  for (const task of recalled) check(tasks.has(task), task, `is asked back from ${workerId}, which has it not`)
  for (const group of state.queue.groups()) {
    const { shape } = group.demand
    const rooms = state.rooms.get(shape.key)
    if (rooms && fits(worker, shape) && !rooms.has(worker)) fail(`${workerId} has room for ${shape.key} unseen`)
  }
}

function isOnWorker({ status }: Task, workerId: WorkerId): boolean {
  return (status.kind === 'assigned' || status.kind === 'running') && status.workerId === workerId
}

function noCounts(): TaskCounts {
  return { waiting: 0, queued: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }
}

function check(holds: boolean, task: Task, what: string): void {
  if (!holds) fail(`task ${objectIdOf(task)} ${what}`)
}

function fail(what: string): never {
  throw new Error(what)
}
