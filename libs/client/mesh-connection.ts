import { randomUUID } from 'node:crypto'

import { type Span, SpanKind } from '@opentelemetry/api'
import { Status } from 'nice-grpc-common'

import { type Bytes, isSegmented } from '#libs/memory'
import { type FunctionRef, type Result, SchedulerServiceDefinition, type SessionResponse } from '#libs/proto'
import {
  type AddressSource,
  closeRpcChannel,
  createRpcChannel,
  createRpcClient,
  type RpcClient,
  type Security,
} from '#libs/rpc'
import { type BlobUploader, createBlobUploader, ClientSession, errorOfRefusal, loadBlob } from '#libs/session'
import { type MeshJob, type MeshJobBackend, sha256Of } from '#libs/submission'
import { type ArrayStream, MeshError, type NumericArray, type TaskFuture } from '#libs/task'
import { createSpanBudget, startSpan, timeSpan } from '#libs/telemetry'
import {
  type ByteRange,
  createObjectTransfers,
  createTransferPool,
  type ObjectPut,
  type ObjectTransfers,
  TransferError,
  type TransferPool,
  type ReceivedBody,
  type WantedObject,
  xxh64Of,
} from '#libs/transfer'
import { decodePayload, type EncodedValue, joinSegments } from '#libs/value'

import { Archives } from './archives.js'
import { streamArray } from './array-stream.js'
import type { BroadcastTarget } from './broadcast.js'
import { isLeaving } from './interrupt.js'
import { JobTable } from './job-table.js'
import { MeshCheckpoints } from './mesh-checkpoints.js'
import { meshErrorOf } from './mesh-error.js'
import { type HeldByWorkers, ObjectBroadcast } from './object-broadcast.js'
import { type FetchedObject, ObjectFetch, type Recover } from './object-fetch.js'

type Message = NonNullable<SessionResponse['message']>

/** How to reach a mesh. */
export interface MeshAddress {
  /** Where the scheduler listens; a source is asked again for each dial. */
  readonly schedulerAddresses: readonly string[] | AddressSource
  readonly storeAddresses: () => Promise<readonly string[]>
  readonly security: Security
  /** How long it may take until the scheduler answers for the first time. */
  readonly openWithinMs: number
}

/** Everything that a client says to a mesh and hears from it. */
export class MeshConnection {
  readonly scheduler: RpcClient<typeof SchedulerServiceDefinition>
  readonly session: ClientSession
  readonly pool: TransferPool
  readonly blobs: BlobUploader
  readonly checkpoints: MeshCheckpoints
  readonly #objects: ObjectTransfers
  readonly #broadcast: ObjectBroadcast
  readonly #spanBudget = createSpanBudget()
  readonly jobs = new JobTable()
  readonly #channel: ReturnType<typeof createRpcChannel>
  readonly #storeAddresses: () => Promise<readonly string[]>
  readonly #archives: Archives
  #lost: MeshError | undefined

  constructor(address: MeshAddress) {
    const { security, schedulerAddresses, storeAddresses, openWithinMs } = address
    this.#channel = createRpcChannel(schedulerAddresses, {
      ...{ security, serverRole: 'scheduler', kind: 'control' },
      isPatient: true,
    })
    this.scheduler = createRpcClient(SchedulerServiceDefinition, this.#channel)
    this.#archives = new Archives(this.scheduler)
    this.#storeAddresses = storeAddresses
    this.pool = createTransferPool(security)
    this.#objects = createObjectTransfers(this.pool)
    this.blobs = createBlobUploader(security, this.pool, storeAddresses)
    this.checkpoints = new MeshCheckpoints({ security, pool: this.pool, storeAddresses })
    this.session = new ClientSession(
      this.scheduler,
      {
        said: (message) => this.#hear(message),
        resumed: () => this.#followOpenJobs(),
        lost: (error) => this.#lose(error),
      },
      { clientName: `costate client ${process.pid}`, openWithinMs },
    )
    this.#broadcast = new ObjectBroadcast(this.#objects, this.session)
  }

  /** Throws when the mesh is gone. */
  check(): void {
    if (this.#lost) throw this.#lost
  }

  /** The value of a result that came in the message, or a promise of it from a worker that holds it. */
  fetchResult({ id, taskName, wireResult }: TaskFuture<unknown>): unknown {
    const { location, holders, blobDigest } = wireResult as Result
    const what = `the result of task ${taskName} (${id})`
    if (location?.$case === 'payload') return decodePayload(location.value, { what })
    if (blobDigest !== undefined) this.#archives.note(id, blobDigest)
    const { byteLength = 0n, xxh64 } = location?.value ?? {}
    const object = { objectId: id, byteLength: Number(byteLength), holders, xxh64 }
    return this.fetchObject({ ...object, structure: location?.value.structure, what })
  }

  /** The value of an object that workers hold, or the checkpoint-store has. */
  fetchObject(object: FetchedObject): Promise<unknown> {
    const blobDigest = this.#archives.get(object.objectId)
    return new Promise((resolve, reject) => {
      if (blobDigest === undefined) {
        this.#objects.startGet(new ObjectFetch(object, this.#recoverHeld, resolve, reject))
        return
      }
      const recover: Recover = (object, error) => this.#getElsewhere(object, blobDigest, error)
      const fetch = new ObjectFetch(object, recover, resolve, reject)
      this.#getBytes(object, blobDigest).then(
        (body) => fetch.moved(body),
        (error: unknown) => fetch.failed(error),
      )
    })
  }

  readonly #recoverHeld: Recover = (object, error) => this.#getElsewhere(object, undefined, error)

  /** The result in pieces; nothing when it came with its message. */
  streamResult({ id, taskName, wireResult }: TaskFuture<unknown>, chunkBytes: number): ReturnType<ArrayStream> {
    const { location, holders, blobDigest } = (wireResult ?? {}) as Partial<Result>
    if (location?.$case !== 'object') return undefined
    if (blobDigest !== undefined) this.#archives.note(id, blobDigest)
    const { structure, byteLength, xxh64 } = location.value
    const object = { objectId: id, byteLength: Number(byteLength), holders: holders ?? [], structure, xxh64 }
    return this.streamObject({ ...object, what: `the result of task ${taskName} (${id})` }, chunkBytes)
  }

  /** An array that workers hold, or the checkpoint-store has, in pieces. */
  streamObject(object: FetchedObject, chunkBytes: number): AsyncGenerator<NumericArray, void> {
    const { objectId } = object
    const fetch = async (range: ByteRange): Promise<Bytes<ArrayBuffer>> => {
      const blobDigest = this.#archives.get(objectId)
      try {
        return (await this.#getBytes(object, blobDigest, range)).bytes
      } catch (error) {
        return (await this.#getElsewhere(object, blobDigest, error, range)).bytes
      }
    }
    const { byteLength, structure, xxh64, what } = object
    return streamArray({ objectId, byteLength, structure, xxh64, fetch }, chunkBytes, what)
  }

  #getBytes(object: WantedObject, blobDigest: string | undefined, range?: ByteRange): Promise<ReceivedBody> {
    if (blobDigest === undefined) return this.#objects.get(object, { range })
    // Those that held it are leaving; one that has not left has what the checkpoint-store cannot give.
    return loadBlob(this.pool, this.#storeAddresses, blobDigest, { range }).catch((error: unknown) =>
      this.#objects.get(object, { range }).catch(() => Promise.reject(error as Error)),
    )
  }

  /** It may just have been handed over to the checkpoint-store, or this program does not reach who holds it. */
  async #getElsewhere(
    object: WantedObject,
    triedDigest: string | undefined,
    failure: unknown,
    range?: ByteRange,
  ): Promise<ReceivedBody> {
    const { objectId } = object
    let error = failure
    if (triedDigest === undefined && (this.#archives.get(objectId) ?? (await this.#bringToStore(objectId, error)))) {
      try {
        return await this.#getBytes(object, this.#archives.get(objectId), range)
      } catch (again) {
        error = again
      }
    }
    const isDamaged = error instanceof TransferError && error.code === Status.DATA_LOSS
    const [code, reason] = isDamaged
      ? (['DATA_LOSS', 'RESULT_DAMAGED'] as const)
      : (['UNAVAILABLE', 'RESULT_UNAVAILABLE'] as const)
    const message = `the value of ${objectId} could not be fetched: ${(error as Error).message}`
    throw new MeshError(code, reason, message, { cause: error })
  }

  /** The checkpoint-store has it, when a worker that is out of reach from here could bring it there. */
  async #bringToStore(objectId: string, error: unknown): Promise<boolean> {
    const isOutOfReach = error instanceof TransferError && error.code === Status.UNAVAILABLE
    if (!isOutOfReach || this.#lost) return false
    return (await this.#archives.bring(objectId).catch(() => undefined)) !== undefined
  }

  /** Puts a value into the checkpoint-store, as an object that needs no worker to hold it. */
  async putBlob(objectId: string, encoded: EncodedValue): Promise<void> {
    const { root: structure, byteLength } = encoded
    // Of a value with thousands of small arrays each would travel by itself.
    const segments = isSegmented(encoded) ? encoded.segments : [joinSegments(encoded)]
    const blobDigest = sha256Of(segments)
    const descriptor = { objectId, structure, byteLength: BigInt(byteLength), xxh64: xxh64Of(segments) }
    try {
      await this.blobs.upload([{ digest: blobDigest, bytes: segments }], {})
      await this.scheduler.scatterBlobs({ sessionId: this.session.id, objects: [{ descriptor, blobDigest }] })
    } catch (error) {
      throw meshErrorOf(error)
    }
    this.#archives.note(objectId, blobDigest)
  }

  /** Puts a value into the memory of a worker. */
  startPut(put: ObjectPut): void {
    this.#objects.startPut(put)
  }

  /** Ten thousand scatters in a row are not worth as many spans. */
  startScatterSpan(): Span | undefined {
    return this.#spanBudget.admit(performance.now()) ? startSpan('scatter', { kind: SpanKind.CLIENT }) : undefined
  }

  /** Puts a value into the memory of the workers. Resolves with those that have it: who dies meanwhile is left out. */
  putToMany(
    objectId: string,
    encoded: EncodedValue,
    workers: readonly BroadcastTarget[],
  ): Promise<readonly BroadcastTarget[]> {
    return timeSpan('scatter', { kind: SpanKind.CLIENT }, () => this.#broadcast.scatter(objectId, encoded, workers))
  }

  /** Has workers get an object that others hold. Resolves with those that have it. */
  async replicate(object: HeldByWorkers, workers: readonly BroadcastTarget[]): Promise<readonly BroadcastTarget[]> {
    try {
      return await timeSpan('replicate', { kind: SpanKind.CLIENT }, () => this.#broadcast.replicate(object, workers))
    } catch (error) {
      throw meshErrorOf(error)
    }
  }

  /** Gives up the hold on results and scattered values. */
  release(objectIds: readonly string[]): void {
    for (const objectId of objectIds) this.#archives.forget(objectId)
    this.#broadcast.noteReleased(objectIds)
    this.session.release(objectIds)
  }

  /** What a job of this client needs of the mesh. */
  jobBackend(localize: MeshJobBackend['localize']): MeshJobBackend {
    return {
      fetch: (future) => this.fetchResult(future),
      stream: (future, chunkBytes) => this.streamResult(future, chunkBytes),
      cancel: (jobId, indices) => this.#cancelJob(jobId, indices),
      release: (objectIds) => this.release(objectIds),
      persist: (jobId, name) => this.#persistJob(jobId, name),
      localize,
    }
  }

  async #cancelJob(jobId: string, indices: readonly number[]): Promise<void> {
    const request = {
      jobId,
      indices: [...indices],
      requestId: randomUUID(),
      reason: 'its client asked for it',
      etag: '',
    }
    try {
      await this.scheduler.cancelJob(request)
    } catch (error) {
      const known = meshErrorOf(error)
      // A job that is forgotten has ended.
      if (!(known instanceof MeshError) || known.code !== 'NOT_FOUND') throw known
    }
  }

  async #persistJob(jobId: string, name: string): Promise<void> {
    try {
      await this.scheduler.persistJob({ jobId, name, requestId: randomUUID() })
    } catch (error) {
      throw meshErrorOf(error)
    }
  }

  close(): void {
    this.#lose(new MeshError('CANCELLED', 'CLIENT_CLOSED', 'the cluster was closed by this program'))
    this.session.close()
    this.pool.close()
    this.blobs.close()
    this.checkpoints.close()
    closeRpcChannel(this.#channel)
  }

  #followOpenJobs(): void {
    for (const job of this.jobs) {
      if (!job.isSettled)
        void job.submitted.then(
          () => this.#follow(job),
          () => undefined,
        )
    }
  }

  #follow(job: MeshJob): void {
    if (!job.isSettled) this.session.say({ $case: 'follow', value: { jobId: job.id } })
  }

  #hear(message: Message): void {
    switch (message.$case) {
      case 'settled': {
        const job = this.jobs.get(message.value.jobId)
        if (job === undefined) return
        job.take(message.value.tasks)
        this.jobs.noteSettled(job)
        return
      }
      case 'progress':
        for (const { taskId, fraction, message: text, iteration, cost } of message.value.tasks) {
          this.#jobOf(taskId)?.reportProgress({
            taskId,
            fraction,
            message: text,
            ...(iteration === undefined ? {} : { iteration: Number(iteration) }),
            ...(cost === undefined ? {} : { cost }),
          })
        }
        return
      case 'logs':
        for (const line of message.value.lines) this.#jobOf(line.taskId)?.reportLine(line)
        return
      case 'lost':
        for (const id of message.value.objectIds) {
          this.#archives.forget(id)
          const at = id.lastIndexOf('/')
          this.jobs.get(id.slice(0, at))?.reopen(Number(id.slice(at + 1)))
        }
        return
      case 'archived':
        for (const { objectId, blobDigest } of message.value.objects) this.#archives.note(objectId, blobDigest)
        return
      case 'refused': {
        // Only follows and cancels come here: the job is unknown to a scheduler that lost its memory.
        const { requestId, reason } = message.value
        if (reason === 'JOB_NOT_FOUND' && !isLeaving()) this.jobs.get(requestId)?.fail(errorOfRefusal(message.value))
        return
      }
      case 'jobUpdated':
      case 'welcome':
      case 'submitted':
        return
      default:
        message satisfies never
    }
  }

  #jobOf(taskId: string): MeshJob | undefined {
    return this.jobs.get(taskId.slice(0, taskId.lastIndexOf('/')))
  }

  #lose(error: MeshError): void {
    this.#lost = error
    // Told to end, a program hears no more: nobody is helped by the errors of what it waits for.
    if (isLeaving()) return
    for (const job of this.jobs) job.fail(error)
  }
}

/** Function references of a job's tasks, each once. */
export function bundledFunction(bundleDigest: string, taskName: string): FunctionRef {
  return { function: { $case: 'bundled', value: { bundleDigest, taskName } } }
}
