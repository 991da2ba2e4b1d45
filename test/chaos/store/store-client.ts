import { randomUUID } from 'node:crypto'

import { wholeOf } from '#libs/memory'
import { DigestAlgorithm, Health } from '#libs/proto'
import {
  closeRpcChannel,
  createRpcChannel,
  createRpcClient,
  loadSecurity,
  readRpcFailure,
  type RpcClient,
} from '#libs/rpc'
import { checkpointServiceDefinition, createMemorySink, sourceOfSegments, TransferStream } from '#libs/transfer'

import type { FoundVersion, Ledger, Save } from './ledger.js'
import { stateOf } from './states.js'

/** Who saves to a store that dies, and reads what it has. */
export class StoreClient {
  readonly #rpc: RpcClient<typeof checkpointServiceDefinition>
  readonly #saves: TransferStream
  readonly #loads: TransferStream
  readonly #hangUp: () => void

  static async dial(meshDir: string, address: string): Promise<StoreClient> {
    const security = await loadSecurity(meshDir, 'client')
    const channel = createRpcChannel(address, { security, serverRole: 'checkpointStore', kind: 'bulk' })
    return new StoreClient(createRpcClient(checkpointServiceDefinition, channel), () => closeRpcChannel(channel))
  }

  private constructor(rpc: RpcClient<typeof checkpointServiceDefinition>, hangUp: () => void) {
    this.#rpc = rpc
    this.#hangUp = hangUp
    this.#saves = new TransferStream((requests, { signal }) => rpc.save(requests, { signal }), 'the store')
    this.#loads = new TransferStream((requests, { signal }) => rpc.load(requests, { signal }), 'the store')
  }

  /** Resolves with the version that was acknowledged. */
  async save({ name, nth, byteLength, requestId }: Save): Promise<number> {
    const header = { byteLength, digestAlgorithm: nth % 2 === 0 ? DigestAlgorithm.XXH64 : DigestAlgorithm.SHA256 }
    const info = { iteration: BigInt(nth), cost: undefined, labels: new Map([['request', requestId]]) }
    const value = { name, version: 0n, info, writerToken: 0n, etag: '' }
    const source = sourceOfSegments(header, [stateOf(name, nth, byteLength)])
    return Number((await this.#saves.put({ $case: 'checkpoint', value }, source, { requestId })).version)
  }

  async remove(name: string): Promise<void> {
    await this.#rpc.deleteCheckpoint({ name, requestId: randomUUID() }).catch((error: unknown) => {
      if (readRpcFailure(error).code !== 'NOT_FOUND') throw error
    })
  }

  async prune(prefix: string): Promise<void> {
    await this.#rpc.pruneCheckpoints({ prefix, keepVersions: 3, requestId: randomUUID() })
  }

  /** Every version that is there, loaded and compared with what was saved; and what the store itself finds. */
  async readAll(ledger: Ledger): Promise<{ versions: Map<string, FoundVersion[]>; complaints: string[] }> {
    const versions = new Map<string, FoundVersion[]>()
    const complaints: string[] = []
    const { checkpoints } = await this.#rpc.listCheckpoints({ allVersions: true, pageSize: 1_000 })
    for (const { name, version, info } of checkpoints) {
      const requestId = info?.labels.get('request') ?? ''
      versions.set(name, [...(versions.get(name) ?? []), { version: Number(version), requestId }])
      const save = ledger.saveOf(requestId)
      if (save === undefined) continue
      const bytes = await this.#load(name, version).catch((error: unknown) => String(error))
      if (typeof bytes === 'string') complaints.push(`${name}@${version} does not load: ${bytes}`)
      else if (!stateOf(name, save.nth, save.byteLength).equals(bytes))
        complaints.push(`${name}@${version} has changed`)
    }
    for await (const { target, health, message } of this.#rpc.verifyCheckpoints({})) {
      const name = target?.$case === 'checkpoint' ? target.value.name : target?.value
      if (health !== Health.SOUND) complaints.push(`${name ?? ''}: ${message}`)
    }
    return { versions, complaints }
  }

  close(): void {
    this.#saves.close()
    this.#loads.close()
    this.#hangUp()
  }

  async #load(name: string, version: bigint): Promise<Uint8Array> {
    let bytes: Uint8Array | undefined
    const value = { name, version, info: undefined, writerToken: 0n, etag: '' }
    await this.#loads.get({ $case: 'checkpoint', value }, (header) =>
      createMemorySink(header, (body) => {
        bytes = wholeOf(body.bytes)
      }),
    )
    if (bytes === undefined) throw new Error('resolved without a body')
    return bytes
  }
}
