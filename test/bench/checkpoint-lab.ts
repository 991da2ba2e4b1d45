import { execFile } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import type { Cluster } from 'costate'

import { loadCheckpoint, saveCheckpoint } from '#libs/checkpoint'
import { meshDirOf, waitForAddress } from '#libs/lifecycle'
import { loadSecurity } from '#libs/rpc'
import { createTransferPool, type TransferPool } from '#libs/transfer'
import { encodeValue, packStructure } from '#libs/value'

const run = promisify(execFile)
/** A cluster does not wait for its store. */
const startTimeoutMs = 60_000

/** Somebody who saves to the checkpoint-store of a cluster on this machine and loads from it, as workers do. */
export class CheckpointLab implements Disposable {
  /** The store's process. */
  readonly pid: number
  readonly #pool: TransferPool
  readonly #addresses: readonly string[]

  static async open({ name }: Cluster): Promise<CheckpointLab> {
    const meshDir = meshDirOf(name)
    const address = await waitForAddress(meshDir, 'checkpointStore', AbortSignal.timeout(startTimeoutMs))
    return new CheckpointLab(address.pid, createTransferPool(await loadSecurity(meshDir, 'client')), address.addresses)
  }

  private constructor(pid: number, pool: TransferPool, addresses: readonly string[]) {
    this.pid = pid
    this.#pool = pool
    this.#addresses = addresses
  }

  async save(name: string, state: Float64Array): Promise<void> {
    const { root: structure, segments } = packStructure(encodeValue(state, name))
    await saveCheckpoint(this.#pool.store(this.#addresses, 'save'), { name, structure, segments })
  }

  /** How many bytes came. */
  async load(name: string): Promise<number> {
    return (await loadCheckpoint(this.#pool.store(this.#addresses, 'load'), name))?.bytes.byteLength ?? 0
  }

  [Symbol.dispose](): void {
    this.#pool.close()
  }
}

/** Float64 that no compression makes shorter. */
export function incompressible(byteLength: number): Float64Array {
  const bytes = new Uint8Array(byteLength)
  const most = 2 ** 30
  for (let start = 0; start < byteLength; start += most)
    randomFillSync(bytes, start, Math.min(most, byteLength - start))
  return new Float64Array(bytes.buffer)
}

/** How long `dd conv=fsync` takes for these bytes from memory to a new file in the folder, in seconds. */
export async function ddSeconds(state: Float64Array, folder: string, nowMs: () => number): Promise<number> {
  const source = `/dev/shm/costate-bench-${process.pid}`
  const target = path.join(folder, 'dd')
  await writeFile(source, new Uint8Array(state.buffer))
  try {
    const startMs = nowMs()
    await run('dd', [`if=${source}`, `of=${target}`, 'bs=4M', 'conv=fsync'])
    return (nowMs() - startMs) / 1000
  } finally {
    await Promise.all([rm(source, { force: true }), rm(target, { force: true })])
  }
}
