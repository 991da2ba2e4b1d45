import type { Result } from '#libs/proto'
import { MeshError, type ScatteredObject, TaskFuture } from '#libs/task'

import type { ReplicateOptions, WorkerInfo } from './cluster.js'
import type { HeldByWorkers } from './object-broadcast.js'

/** What can be held by several workers. */
export type Replicable = TaskFuture<unknown> | ScatteredObject<unknown>

/** An object, those of its holders that are there, and who is to have it beside them. */
export interface Replication {
  readonly object: HeldByWorkers & { readonly holders: readonly WorkerInfo[] }
  readonly targets: readonly WorkerInfo[]
}

/**
 * Who is to get a copy; nothing for a result that travels with each task that takes it.
 *
 * @throws what the task failed with; RangeError for a worker that is not there, or a number of copies that makes no sense;
 * MeshError UNAVAILABLE when no worker is there that has it.
 */
export async function planReplication(
  object: Replicable,
  options: ReplicateOptions,
  listWorkers: () => Promise<readonly WorkerInfo[]>,
): Promise<Replication | undefined> {
  checkReplication(options)
  const held = await whereabouts(object)
  if (held === undefined) return undefined
  const present = (await listWorkers()).filter(({ state }) => state === 'ready' || state === 'paused')
  checkWorkers(options, present)
  const holders = present.filter(({ id }) => held.workerIds.includes(id))
  const others = present.filter((worker) => !holders.includes(worker))
  const targets = chooseTargets(options, holders, others)
  if (targets.length > 0 && holders.length === 0) {
    const message = `no worker that is there holds ${object.id}: what the checkpoint-store has of it is loaded by each task that takes it`
    throw new MeshError('UNAVAILABLE', 'NO_HOLDER', message)
  }
  return { object: { objectId: object.id, byteLength: held.byteLength, holders }, targets }
}

/** @throws RangeError for a number of copies that makes no sense. */
export function checkReplication({ copies }: ReplicateOptions): void {
  if (copies === undefined || (Number.isInteger(copies) && copies >= 1)) return
  throw new RangeError(`replicate: copies is ${copies}: give a whole number from 1`)
}

/** @throws RangeError for a worker that is not there. */
export function checkWorkers({ workers }: ReplicateOptions, present: readonly Pick<WorkerInfo, 'id'>[]): void {
  const unknown = workers?.find((id) => !present.some((worker) => worker.id === id))
  if (unknown !== undefined) throw new RangeError(`replicate: there is no worker ${unknown}; see cluster.workers()`)
}

async function whereabouts(
  object: Replicable,
): Promise<{ byteLength: number; workerIds: readonly string[] } | undefined> {
  if (!(object instanceof TaskFuture)) return object
  await object.settled()
  if (object.error) throw object.error
  if (object.released) await object.result()
  const { location, holders } = object.wireResult as Result
  if (location?.$case !== 'object') return undefined
  return { byteLength: Number(location.value.byteLength), workerIds: holders.map(({ workerId }) => workerId) }
}

function chooseTargets(
  { workers, copies }: ReplicateOptions,
  holders: readonly WorkerInfo[],
  others: readonly WorkerInfo[],
): WorkerInfo[] {
  const wanted = workers ? others.filter(({ id }) => workers.includes(id)) : [...others]
  if (copies === undefined) return wanted
  // A copy on another host outlives that one; then where the least is held.
  const hosts = new Set(holders.map(({ host }) => host))
  const rank = ({ host, state }: WorkerInfo): number => (hosts.has(host) ? 1 : 0) + (state === 'paused' ? 2 : 0)
  const chosen: WorkerInfo[] = []
  while (holders.length + chosen.length < copies) {
    const left = wanted.filter((worker) => !chosen.includes(worker))
    const next = left.sort((a, b) => rank(a) - rank(b) || a.heldBytes - b.heldBytes)[0]
    if (next === undefined) break
    chosen.push(next)
    hosts.add(next.host)
  }
  return chosen
}
