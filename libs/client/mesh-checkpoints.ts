import { randomUUID } from 'node:crypto'

import { type CheckpointDescription, describeCheckpoint, loadCheckpoint, saveCheckpoint } from '#libs/checkpoint'
import { parseDurationMs } from '#libs/domain'
import { type Checkpoint, CheckpointServiceDefinition } from '#libs/proto'
import {
  closeRpcChannel,
  createRpcChannel,
  createRpcClient,
  readRpcFailure,
  type RpcClient,
  type Security,
} from '#libs/rpc'
import type { TransferPool } from '#libs/transfer'
import { decodeValue, encodeValue, packStructure } from '#libs/value'

import type {
  CheckpointChange,
  Checkpoints,
  LoadedCheckpoint,
  PruneOptions,
  SaveCheckpointOptions,
} from './checkpoints.js'
import { meshErrorOf } from './mesh-error.js'
import { findNearest, labelsWith, type NearCheckpoint, prefixOfStudy } from './nearest-checkpoints.js'

const pageSize = 1_000

/** How to reach the store of a mesh. */
export interface StoreAccess {
  readonly security: Security
  readonly pool: TransferPool
  readonly storeAddresses: () => Promise<readonly string[]>
}

/** The checkpoints of a mesh, in its checkpoint-store. */
export class MeshCheckpoints implements Checkpoints {
  readonly #access: StoreAccess
  #channel: ReturnType<typeof createRpcChannel> | undefined
  #rpc: RpcClient<typeof CheckpointServiceDefinition> | undefined

  constructor(access: StoreAccess) {
    this.#access = access
  }

  async save(name: string, value: unknown, options: SaveCheckpointOptions = {}): Promise<CheckpointDescription> {
    const { etag = '', parameters, ...info } = options
    const labels = labelsWith(info.labels ?? {}, parameters)
    const encoded = packStructure(encodeValue(value, `the checkpoint ${name}`))
    const { pool, storeAddresses } = this.#access
    try {
      const stream = pool.store(await storeAddresses(), 'save')
      const { root: structure, segments } = encoded
      const version = await saveCheckpoint(stream, {
        name,
        structure,
        segments,
        info: { ...info, labels },
        etag,
      })
      const { checkpoint } = await this.#store().then((store) =>
        store.getCheckpoint({ name, version: BigInt(version) }),
      )
      return describeCheckpoint(checkpoint as Checkpoint)
    } catch (error) {
      throw meshErrorOf(error)
    }
  }

  async load<T>(name: string, { version = 0 } = {}): Promise<LoadedCheckpoint<T> | undefined> {
    const { pool, storeAddresses } = this.#access
    try {
      const loaded = await loadCheckpoint(pool.store(await storeAddresses(), 'load'), name, version)
      if (loaded === undefined) return undefined
      const { structure, bytes, ...described } = loaded
      return { ...described, value: decodeValue(structure, bytes, { view: true, what: `the checkpoint ${name}` }) as T }
    } catch (error) {
      throw meshErrorOf(error)
    }
  }

  async describe(name: string, { version = 0 } = {}): Promise<CheckpointDescription | undefined> {
    try {
      const { checkpoint } = await (await this.#store()).getCheckpoint({ name, version: BigInt(version) })
      return describeCheckpoint(checkpoint as Checkpoint)
    } catch (error) {
      if (readRpcFailure(error).code === 'NOT_FOUND') return undefined
      throw meshErrorOf(error)
    }
  }

  async list(options: Parameters<Checkpoints['list']>[0] = {}): Promise<CheckpointDescription[]> {
    const { prefix = '', labels = {}, allVersions = false } = options
    const found: CheckpointDescription[] = []
    try {
      const store = await this.#store()
      for (let pageToken = '', isMore = true; isMore;) {
        const wanted = { prefix, pageSize, pageToken, allVersions, labels: new Map(Object.entries(labels)) }
        const page = await store.listCheckpoints(wanted)
        found.push(...page.checkpoints.map(describeCheckpoint))
        pageToken = page.nextPageToken
        isMore = pageToken !== ''
      }
      return found
    } catch (error) {
      throw meshErrorOf(error)
    }
  }

  async nearest(study: string, parameters: readonly number[], k = 1): Promise<NearCheckpoint[]> {
    return findNearest(await this.list({ prefix: prefixOfStudy(study) }), parameters, k)
  }

  async delete(name: string, { version = 0, etag = '' } = {}): Promise<number> {
    try {
      const request = { name, version: BigInt(version), etag, requestId: randomUUID() }
      return (await (await this.#store()).deleteCheckpoint(request)).versions
    } catch (error) {
      throw meshErrorOf(error)
    }
  }

  async prune(options: PruneOptions = {}): Promise<{ versions: CheckpointDescription[]; freedBytes: number }> {
    const { prefix = '', keepVersions = 1, keepFor = 0, labels = {}, dryRun = false } = options
    const keepForMs = parseDurationMs(keepFor, 'keepFor')
    try {
      const { checkpoints, freedBytes } = await (
        await this.#store()
      ).pruneCheckpoints({
        ...{ prefix, keepVersions, dryRun, labels: new Map(Object.entries(labels)) },
        keepFor: { seconds: BigInt(Math.floor(keepForMs / 1_000)), nanos: Math.round((keepForMs % 1_000) * 1e6) },
        requestId: randomUUID(),
      })
      return { versions: checkpoints.map(describeCheckpoint), freedBytes: Number(freedBytes) }
    } catch (error) {
      throw meshErrorOf(error)
    }
  }

  async *watch(prefix = ''): AsyncGenerator<CheckpointChange, void> {
    const leaving = new AbortController()
    try {
      const changes = (await this.#store()).watchCheckpoints({ prefix }, { signal: leaving.signal })
      for await (const { change } of changes) {
        if (change?.$case === 'saved') yield { kind: 'saved', checkpoint: describeCheckpoint(change.value) }
        if (change?.$case === 'deleted') yield { kind: 'deleted', name: change.value }
      }
    } catch (error) {
      throw meshErrorOf(error)
    } finally {
      leaving.abort()
    }
  }

  close(): void {
    if (this.#channel) closeRpcChannel(this.#channel)
  }

  async #store(): Promise<RpcClient<typeof CheckpointServiceDefinition>> {
    if (this.#rpc) return this.#rpc
    const { security, storeAddresses } = this.#access
    this.#channel = createRpcChannel(storeAddresses, { security, serverRole: 'checkpointStore', kind: 'control' })
    this.#rpc = createRpcClient(CheckpointServiceDefinition, this.#channel)
    return this.#rpc
  }
}
