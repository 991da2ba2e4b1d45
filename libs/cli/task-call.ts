import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { loadBundle, unpackBundle } from '#libs/bundle'
import { readAddress } from '#libs/lifecycle'
import { wholeOf } from '#libs/memory'
import {
  type GetTaskCallResponse,
  Payload,
  type Reference,
  type Result,
  type SchedulerServiceDefinition,
  type Task,
} from '#libs/proto'
import { loadSecurity, type RpcClient } from '#libs/rpc'
import { type AnyTask, type Codecs, codecsOf } from '#libs/task'
import { createMemorySink, createTransferPool, type ReceivedBody, type TransferPool } from '#libs/transfer'
import { decodePayload, decodeValue, inspectValue, nameOfReference } from '#libs/value'

import { CliError, exitCodes } from './cli-error.js'
import { answerTimeoutMs } from './mesh.js'

/** A task of a mesh, brought here: it can be called as a worker would. */
export interface TaskCall {
  /** How it ended in the mesh, or how far it is there. */
  readonly task: Task
  readonly taskName: string
  readonly jobId: string
  readonly index: number
  readonly seed: bigint
  readonly args: readonly unknown[]
  readonly run: AnyTask
}

/** Brings a task's bundle, arguments and inputs into this process. */
export async function fetchTaskCall(
  scheduler: RpcClient<typeof SchedulerServiceDefinition>,
  meshDir: string,
  taskId: string,
): Promise<TaskCall> {
  const deadline = { deadline: answerTimeoutMs }
  const { task } = await scheduler.getTask({ taskId }, deadline)
  const { job, task: call }: GetTaskCallResponse = await scheduler.getTaskCall({ taskId }, deadline)
  const called = job?.functions[call?.function ?? 0]
  if (task === undefined || job === undefined || call === undefined || called === undefined) {
    throw new Error('the scheduler answered without the call')
  }
  const store = (await readAddress(meshDir, 'checkpointStore'))?.addresses ?? []
  const pool = createTransferPool(await loadSecurity(meshDir, 'client'))
  try {
    const { jobId } = job
    const inputs = new Map(call.inputs.map(({ objectId, result }) => [objectId, result]))
    const { bytes } = await fetchBlob(pool, store, called.bundleDigest, 'its bundle')
    const run = (await loadHere(wholeOf(bytes), called.bundleDigest)).find(called.taskName)
    const args = await fetchArguments(call.input, { pool, store, jobId, inputs, codecs: codecsOf(run) })
    return { task, taskName: called.taskName, jobId, index: call.index, seed: job.seed, args, run }
  } finally {
    pool.close()
  }
}

interface Sources {
  readonly pool: TransferPool
  readonly store: readonly string[]
  readonly jobId: string
  readonly inputs: ReadonlyMap<string, Result | undefined>
  readonly codecs: Codecs
}

async function fetchArguments(input: Uint8Array, sources: Sources): Promise<readonly unknown[]> {
  const { root, body } = Payload.decode(input)
  const wanted = new Map<string, Reference>()
  inspectValue(
    root,
    body.byteLength,
    (reference) => void wanted.set(nameOfReference(reference, sources.jobId), reference),
  )
  const values = new Map<string, () => unknown>()
  for (const [name, reference] of wanted) values.set(name, await fetchInput(name, reference, sources))
  return decodeValue(root, body, {
    codecs: sources.codecs,
    what: 'an argument',
    resolve: (reference) => values.get(nameOfReference(reference, sources.jobId))?.(),
  }) as unknown[]
}

/** Brings one input. It is taken apart for each place that it is in, as on a worker. */
async function fetchInput(name: string, { target }: Reference, sources: Sources): Promise<() => unknown> {
  const { pool, store, inputs, codecs } = sources
  const options = { codecs, what: `its input ${name}` }
  if (target?.$case === 'blob') {
    const { digest, structure } = target.value
    const { bytes } = await fetchBlob(pool, store, digest, 'one of its large arguments')
    return () => decodeValue(structure, bytes, options)
  }
  const result = inputs.get(name)
  if (result?.location?.$case === 'payload') {
    const payload = result.location.value
    return () => decodePayload(payload, options)
  }
  let why = result === undefined ? 'it is not settled, or failed' : 'no worker holds it'
  for (const { addresses } of result?.holders ?? []) {
    try {
      const { structure, bytes } = await receive((keep) =>
        pool.worker(addresses).get({ $case: 'objectId', value: name }, (header) => createMemorySink(header, keep)),
      )
      return () => decodeValue(structure, bytes, options)
    } catch (error) {
      why = (error as Error).message
    }
  }
  const message = `its input ${name} cannot be had (${why}): submit its job again, and keep the handle of that result`
  throw new CliError(exitCodes.failed, 'INPUT_UNAVAILABLE', message)
}

async function fetchBlob(
  pool: TransferPool,
  store: readonly string[],
  digest: string,
  what: string,
): Promise<ReceivedBody> {
  try {
    return await receive((keep) =>
      pool.store(store, 'load').get({ $case: 'blobDigest', value: digest }, (header) => createMemorySink(header, keep)),
    )
  } catch (error) {
    const message = `${what} cannot be had from the checkpoint-store: ${(error as Error).message}`
    throw new CliError(exitCodes.failed, 'BLOB_UNAVAILABLE', message, { cause: error })
  }
}

async function receive(get: (keep: (body: ReceivedBody) => void) => Promise<void>): Promise<ReceivedBody> {
  let received: ReceivedBody | undefined
  await get((body) => (received = body))
  if (received === undefined) throw new Error('the transfer ended without a body')
  return received
}

/** The bundle's files are there as long as this process is: a task may read them when it runs. */
async function loadHere(archive: Uint8Array, digest: string) {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-rerun-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return await loadBundle(await unpackBundle(archive, folder, digest))
}
