import { deserialize, serialize } from 'node:v8'

import { type ObjectId, parseTaskId } from '#libs/domain'
import type { FactSubject, SubjectCodec } from '#libs/journal'

import type { Fact, FactOf } from '../core/fact.js'
import type { TaskSpec } from '../core/job-spec.js'
import { decodeGroupFact, encodeGroupFact, isGroupFact } from './group-codec.js'
import { decodeReleased, decodeStored, encodeReleased, encodeStored, isReleased, isStored } from './object-codec.js'
import type { GroupFact, JournaledFact } from './object-groups.js'
import { decodeSettle, encodeSettle, isSettle } from './settle-codec.js'
import { packTasks, unpackTasks } from './task-columns.js'

/** The first byte of a fact that is not a settle: a value in the structured-clone format of V8, which later versions read. */
const clonedFormat = 1

/** A job of more tasks, or larger ones, is written in parts. */
const tasksPerPart = 500
const inputBytesPerPart = 2 ** 18

/**
 * Facts as bytes. Nearly all are settles that finished and objects that were scattered and released; those have layouts of their
 * own. The others keep whatever fields they have. Jobs and scattered buffers are subjects: forgetting one gives its room back.
 */
export const factCodec: SubjectCodec<Fact> = {
  encode: (fact) => encodeFrequent(fact) ?? encodeCloned(fact),
  decode: (bytes) => {
    if (isSettle(bytes)) return decodeSettle(bytes)
    if (isStored(bytes)) return decodeStored(bytes)
    return isReleased(bytes) ? decodeReleased(bytes) : decodeCloned(bytes)
  },
  subjectOf,
  split: splitJob,
}

/** The same of a journal in which objects are grouped. */
export const journaledFactCodec: SubjectCodec<JournaledFact> = {
  encode: (fact) => (isOfGroup(fact) ? encodeGroupFact(fact) : factCodec.encode(fact)),
  decode: (bytes) => (isGroupFact(bytes) ? decodeGroupFact(bytes) : factCodec.decode(bytes)),
  subjectOf: (fact) =>
    isOfGroup(fact) ? { name: `objects:${fact.group}`, does: groupEffects[fact.kind] } : subjectOf(fact),
  split: (fact) => (isOfGroup(fact) ? [fact] : splitJob(fact)),
}

function isOfGroup(fact: JournaledFact): fact is GroupFact {
  return fact.kind in groupEffects
}

const groupEffects = { groupStored: 'replaces', groupMembersForgotten: 'adds', groupEnded: 'ends' } as const

function encodeFrequent(fact: Fact): Uint8Array | undefined {
  if (fact.kind === 'taskSettled') return encodeSettle(fact)
  if (fact.kind === 'objectStored') return encodeStored(fact)
  return fact.kind === 'objectReleased' ? encodeReleased(fact) : undefined
}

function encodeCloned(fact: Fact): Uint8Array {
  const body = serialize(packed(fact))
  const bytes = Buffer.allocUnsafe(1 + body.byteLength)
  bytes[0] = clonedFormat
  bytes.set(body, 1)
  return bytes
}

function decodeCloned(bytes: Uint8Array): Fact {
  if (bytes[0] !== clonedFormat) throw unknownFact(`in format ${bytes[0]}`)
  const fact = unpacked(deserialize(bytes.subarray(1)) as ReturnType<typeof packed>)
  if (!(fact.kind in subjects)) throw unknownFact(`'${fact.kind}'`)
  return fact
}

function unknownFact(what: string): Error {
  return new Error(`the journal holds a fact ${what}, which this version does not know: upgrade the scheduler`)
}

function packed(fact: Fact) {
  if (fact.kind === 'jobSubmitted') return { ...fact, job: { ...fact.job, tasks: packTasks(fact.job.tasks) } }
  return fact.kind === 'tasksAdded' ? { ...fact, tasks: packTasks(fact.tasks) } : fact
}

function unpacked(fact: ReturnType<typeof packed>): Fact {
  if (fact.kind === 'jobSubmitted') return { ...fact, job: { ...fact.job, tasks: unpackTasks(fact.job.tasks) } }
  return fact.kind === 'tasksAdded' ? { ...fact, tasks: unpackTasks(fact.tasks) } : fact
}

const meshSubject = 'mesh'

/** What each kind of fact is about. Job ids have no colon, so the names cannot meet. */
const subjects: { readonly [K in Fact['kind']]: (fact: FactOf<K>) => FactSubject } = {
  epochRaised: () => ({ name: 'mesh:epoch', does: 'replaces' }),
  requestAnswered: ({ requestId }) => ({ name: `request:${requestId}`, does: 'replaces' }),
  requestForgotten: ({ requestId }) => ({ name: `request:${requestId}`, does: 'ends' }),
  taskRegistered: () => ({ name: meshSubject, does: 'adds' }),
  jobSubmitted: ({ job }) => ({ name: `job:${job.jobId}`, does: 'adds' }),
  tasksAdded: ({ jobId }) => ofJob(jobId),
  taskSettled: ({ jobId }) => ofJob(jobId),
  attemptFailed: ({ jobId }) => ofJob(jobId),
  attemptLost: ({ jobId }) => ofJob(jobId),
  taskSuspected: ({ jobId }) => ofJob(jobId),
  taskReopened: ({ jobId }) => ofJob(jobId),
  jobCancelled: ({ jobId }) => ofJob(jobId),
  jobPersisted: ({ jobId }) => ofJob(jobId),
  jobRetired: ({ record }) => ({ name: `job:${record.spec.jobId}`, does: 'replaces' }),
  jobForgotten: ({ jobId }) => ({ name: `job:${jobId}`, does: 'ends' }),
  objectStored: ({ objectId }) => ({ name: `object:${objectId}`, does: 'adds' }),
  objectArchived: ({ objectId }) => ofObject(objectId),
  archiveLost: ({ objectId }) => ofObject(objectId),
  objectReleased: ({ objectId }) => ({ name: `object:${objectId}`, does: 'adds' }),
  resultsReleased: ({ jobId }) => ofJob(jobId),
  objectForgotten: ({ objectId }) => ({ name: `object:${objectId}`, does: 'ends' }),
  workerAttached: ({ workerId }) => ({ name: `worker:${workerId}`, does: 'replaces' }),
  workerConfined: ({ workerId }) => ({ name: `worker:${workerId}`, does: 'replaces' }),
  workerDetached: ({ workerId }) => ({ name: `worker:${workerId}`, does: 'ends' }),
  hostConfined: ({ host }) => ({ name: `host:${host}`, does: 'replaces' }),
  hostFreed: ({ host }) => ({ name: `host:${host}`, does: 'ends' }),
}

function ofJob(jobId: string): FactSubject {
  return { name: `job:${jobId}`, does: 'adds' }
}

/** Of a result its job, of a scattered buffer the buffer itself. */
function ofObject(objectId: ObjectId): FactSubject {
  const task = parseTaskId(objectId)
  return task ? ofJob(task.jobId) : { name: `object:${objectId}`, does: 'adds' }
}

function subjectOf(fact: Fact): FactSubject {
  return (subjects[fact.kind] as (fact: Fact) => FactSubject)(fact)
}

function* splitJob(fact: Fact): Generator<Fact> {
  if (fact.kind !== 'jobSubmitted') {
    yield fact
    return
  }
  const { jobId, tasks } = fact.job
  let first = true
  for (const part of partsOf(tasks)) {
    if (first) yield { ...fact, job: { ...fact.job, tasks: part } }
    else yield { kind: 'tasksAdded', jobId, tasks: part }
    first = false
  }
}

/** At least one part, however few tasks there are. */
function* partsOf(tasks: readonly TaskSpec[]): Generator<TaskSpec[]> {
  let start = 0
  let bytes = 0
  for (const [index, { input }] of tasks.entries()) {
    if (index > start && (index - start === tasksPerPart || bytes + input.byteLength > inputBytesPerPart)) {
      yield tasks.slice(start, index)
      start = index
      bytes = 0
    }
    bytes += input.byteLength
  }
  yield tasks.slice(start)
}
