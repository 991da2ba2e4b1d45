import { dropUnusedClaims } from './claims.js'
import { collectGarbage } from './collection.js'
import { answer, type Out } from './effect.js'
import { emit } from './emit.js'
import type { EventOf, NamedVersion, PruneRule } from './event.js'
import { endUnusedLeases } from './leases.js'
import { namesUnder } from './names.js'
import { forgetOld } from './requests.js'
import { type Checkpoint, type CheckpointVersion, chunksOfVersion, type Policy, type State } from './state.js'

/** Whose checkpoints they are that nobody asks for any more once their job is long over. */
const jobsPrefix = 'jobs/'

/** Drops the versions of a checkpoint that the policy does not keep. */
export function dropOldVersions(state: State, checkpoint: Checkpoint, atMs: number, out: Out): void {
  const { policy } = state
  dropVersions(state, checkpoint.name, notKept(checkpoint, policy, policy, atMs), out)
}

/** Drops these versions. */
export function dropVersions(state: State, name: string, versions: readonly CheckpointVersion[], out: Out): void {
  for (const version of versions) emit(state, out, { kind: 'versionDropped', name, version: version.version })
  for (const version of versions) collectGarbage(state, out, chunksOfVersion(version))
}

/** Drops what has become too old: versions, checkpoints of jobs, leases, answers to requests. */
export function sweep(state: State, { atMs }: EventOf<'sweepDue'>, out: Out): void {
  const { policy } = state
  for (const checkpoint of [...state.checkpoints.values()]) {
    const { name, versions } = checkpoint
    const isOver = name.startsWith(jobsPrefix) && versions.at(-1)!.savedAtMs <= atMs - policy.keepJobsForMs
    if (isOver && !versions.some((version) => isLabelled(version, policy)))
      dropVersions(state, name, [...versions], out)
    else dropOldVersions(state, checkpoint, atMs, out)
  }
  dropUnusedClaims(state, atMs, out)
  endUnusedLeases(state, atMs, out)
  forgetOld(state, out, atMs)
}

/** Drops the versions that neither the rule nor a label keeps, or says which it would. */
export function prune(state: State, event: EventOf<'pruneRequested'>, out: Out): void {
  const { rule, isRehearsal, atMs } = event
  const pruned: NamedVersion[] = []
  for (const name of namesUnder(state.names, rule.prefix)) {
    const versions = notKept(state.checkpoints.get(name)!, rule, state.policy, atMs)
    pruned.push(...versions.filter((version) => hasLabels(version, rule.labels)).map((version) => ({ name, version })))
  }
  const freedBytes = bytesOnlyOf(
    state,
    pruned.map(({ version }) => version),
  )
  if (!isRehearsal) for (const { name, version } of pruned) dropVersions(state, name, [version], out)
  answer(out, event, { versions: pruned, freedBytes })
}

/** Whether a version has all of these labels. */
export function hasLabels({ info }: CheckpointVersion, labels: PruneRule['labels']): boolean {
  return labels.every(([key, value]) => info.labels.some(([has, as]) => has === key && as === value))
}

/** How many bytes of the disk only these versions need. */
export function bytesOnlyOf(state: State, versions: readonly CheckpointVersion[]): number {
  const counts = new Map<string, number>()
  for (const { digest } of versions.flatMap(chunksOfVersion)) counts.set(digest, (counts.get(digest) ?? 0) + 1)
  let bytes = 0
  for (const [digest, count] of counts) {
    const chunk = state.chunks.get(digest)!
    if (chunk.references === count) bytes += chunk.byteLength
  }
  return bytes
}

function notKept(
  { versions }: Checkpoint,
  { keepVersions, keepForMs }: Pick<Policy, 'keepVersions' | 'keepForMs'>,
  policy: Policy,
  atMs: number,
): CheckpointVersion[] {
  return versions
    .slice(0, Math.max(0, versions.length - keepVersions))
    .filter((version) => version.savedAtMs <= atMs - keepForMs && !isLabelled(version, policy))
}

function isLabelled({ info }: CheckpointVersion, { keepLabels }: Policy): boolean {
  return info.labels.some(([key]) => keepLabels.includes(key))
}
