import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { readConfig } from '#libs/config'
import type { RunningService } from '#libs/lifecycle'
import { wholeOf } from '#libs/memory'
import { DigestAlgorithm, type TransferHeader, type TransferReceipt, type Value } from '#libs/proto'
import {
  closeRpcChannel,
  createMeshSecurity,
  createRpcChannel,
  createRpcClient,
  loadSecurity,
  type Role,
  type RpcClient,
} from '#libs/rpc'
import { createLogger } from '#libs/telemetry'
import {
  checkpointServiceDefinition,
  createMemorySink,
  sourceOfSegments,
  TransferStream,
  type TransferTarget,
} from '#libs/transfer'

import { checkpointStoreConfig } from './config.js'
import { type CheckpointStoreOverrides, startCheckpointStore } from './service.js'

/** What a get brought. */
export interface Got {
  readonly header: TransferHeader
  readonly bytes: Uint8Array
}

/** A caller of a store, as SDKs and workers are. */
export interface Caller {
  readonly rpc: RpcClient<typeof checkpointServiceDefinition>
  readonly saves: TransferStream
  readonly loads: TransferStream
  /** Puts a blob, for its own sake unless it is kept for somebody. */
  putBlob(bytes: Uint8Array, claimant?: string): Promise<{ digest: string; receipt: TransferReceipt }>
  getBlob(digest: string): Promise<Uint8Array>
  save(name: string, bytes: Uint8Array, options?: SaveOptions): Promise<TransferReceipt>
  load(name: string, version?: number, trace?: Record<string, string>): Promise<Got>
  close(): void
}

export interface SaveOptions {
  readonly requestId?: string
  readonly structure?: Value
  readonly trace?: Record<string, string>
  readonly cost?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly writerToken?: bigint
  readonly etag?: string
  /** SHA-256 unless given. */
  readonly algorithm?: DigestAlgorithm
}

/** A store that really runs, with folders of its own, and whoever calls it. */
export class RunningStore {
  readonly folder: string
  readonly meshDir: string
  #service: (RunningService & { readonly address: string }) | undefined
  readonly #callers: Caller[] = []

  static async create(): Promise<RunningStore> {
    const store = new RunningStore(await mkdtemp(path.join(tmpdir(), 'costate-store-')))
    await createMeshSecurity(store.meshDir)
    return store
  }

  private constructor(folder: string) {
    this.folder = folder
    this.meshDir = path.join(folder, 'mesh')
  }

  get dataDir(): string {
    return path.join(this.folder, 'data')
  }

  get address(): string {
    return this.#service?.address ?? 'nowhere'
  }

  async start(flags: readonly string[] = [], overrides: CheckpointStoreOverrides = {}): Promise<void> {
    const argv = ['--mesh-dir', this.meshDir, '--data-dir', this.dataDir, ...flags]
    const logger = createLogger({ service: 'checkpoint-store', instanceId: 'test', level: 'silent' })
    const config = readConfig(checkpointStoreConfig, argv, {})
    this.#service = await startCheckpointStore(config, { logger, ...overrides })
  }

  async stop(): Promise<void> {
    for (const caller of this.#callers.splice(0)) caller.close()
    await this.#service?.stop(1_000)
    this.#service = undefined
  }

  async restart(flags: readonly string[] = []): Promise<void> {
    await this.stop()
    await this.start(flags)
  }

  async dispose(): Promise<void> {
    await this.stop()
    await rm(this.folder, { recursive: true })
  }

  fileOf(digest: string): string {
    return path.join(this.dataDir, 'chunks', digest.slice(0, 1), digest)
  }

  /** The digests of the files on disk, and the temporary files. */
  async files(): Promise<{ chunks: string[]; temporary: string[] }> {
    const chunksDir = path.join(this.dataDir, 'chunks')
    const folders = (await readdir(chunksDir)).filter((name) => name.length === 1)
    const chunks = await Promise.all(folders.map((folder) => readdir(path.join(chunksDir, folder))))
    return { chunks: chunks.flat().sort(), temporary: await readdir(path.join(chunksDir, 'temporary')) }
  }

  async call(role: Role = 'client'): Promise<Caller> {
    const security = await loadSecurity(this.meshDir, role)
    const options = { security, serverRole: 'checkpointStore', kind: 'bulk' } as const
    const channel = createRpcChannel(this.address, options)
    const rpc = createRpcClient(checkpointServiceDefinition, channel)
    const saves = new TransferStream((requests, { signal }) => rpc.save(requests, { signal }), 'the store')
    const loads = new TransferStream((requests, { signal }) => rpc.load(requests, { signal }), 'the store')
    const get = async (target: TransferTarget, trace?: Record<string, string>): Promise<Got> => {
      let got: Got | undefined
      const open = (header: TransferHeader) =>
        createMemorySink(header, ({ bytes }) => void (got = { header, bytes: wholeOf(bytes) }))
      await loads.get(target, open, { trace })
      if (got === undefined) throw new Error('resolved without a body')
      return got
    }
    const caller: Caller = {
      rpc,
      saves,
      loads,
      putBlob: async (bytes, claimant) => {
        const digest = digestOf(bytes)
        const target = { $case: 'blobDigest', value: digest } as const
        return {
          digest,
          receipt: await saves.put(target, sourceOf(bytes), {
            requestId: randomUUID(),
            ...(claimant === undefined ? {} : { claimant }),
          }),
        }
      },
      getBlob: async (digest) => (await get({ $case: 'blobDigest', value: digest })).bytes,
      save: (name, bytes, options = {}) => {
        const { requestId = randomUUID(), structure, trace, cost, labels, writerToken = 0n, etag = '' } = options
        const { algorithm } = options
        const info = { iteration: 12n, cost, labels: new Map([['solver', 'ipm'], ...Object.entries(labels ?? {})]) }
        const target = { $case: 'checkpoint', value: { name, version: 0n, info, writerToken, etag } } as const
        return saves.put(target, sourceOf(bytes, structure, algorithm), { requestId, trace })
      },
      load: (name, version = 0, trace) => {
        return get(
          {
            $case: 'checkpoint',
            value: { name, version: BigInt(version), info: undefined, writerToken: 0n, etag: '' },
          },
          trace,
        )
      },
      close: () => {
        saves.close()
        loads.close()
        closeRpcChannel(channel)
      },
    }
    this.#callers.push(caller)
    return caller
  }
}

export function sourceOf(bytes: Uint8Array, structure?: Value, digestAlgorithm = DigestAlgorithm.SHA256) {
  const header = { structure, byteLength: bytes.byteLength, digestAlgorithm }
  return sourceOfSegments(header, [bytes])
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Bytes that differ everywhere, the same for the same seed. */
export function bytesOf(byteLength: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  for (let i = 0; i < byteLength; i++) bytes[i] = Math.imul(i + seed, 2654435761) >>> 24
  return bytes
}
