import { randomUUID } from 'node:crypto'

import type { Value } from '#libs/proto'
import { MeshError, ScatteredObject } from '#libs/task'
import { type EncodedValue, encodeValue, packStructure } from '#libs/value'

import type { BroadcastTarget } from './broadcast.js'
import type { ScatterOptions, WorkerInfo } from './cluster.js'
import type { MeshConnection } from './mesh-connection.js'
import { meshErrorOf } from './mesh-error.js'
import { ScatterTargets } from './scatter-targets.js'

type Connection = Pick<MeshConnection, 'check' | 'putObject' | 'putBlob' | 'release' | 'fetchObject'>
type Targets = readonly BroadcastTarget[]

/** Puts values into workers' memory. Ten thousand small ones at a time are usual, so none costs an asynchronous function here. */
export class Scattering {
  readonly #connection: Connection
  readonly #targets: ScatterTargets

  constructor(connection: Connection, listWorkers: () => Promise<WorkerInfo[]>) {
    this.#connection = connection
    this.#targets = new ScatterTargets(listWorkers)
  }

  /**
   * Puts a value, which must not change meanwhile.
   *
   * @throws what the cluster was lost with. Rejects with a RangeError for a worker that is not there, an UnserializableError for a
   * value that cannot travel, a MeshError when no worker could take it.
   */
  scatter<T>(value: T, options: ScatterOptions): Promise<ScatteredObject<T>> {
    this.#connection.check()
    const { durable = false, workers, broadcast } = options
    if (durable && !workers && !broadcast) return this.#put(value, [], durable)
    return this.#targets.choose(options).then((targets) => this.#put(value, targets, durable))
  }

  #put<T>(value: T, targets: Targets, durable: boolean): Promise<ScatteredObject<T>> {
    // Once, so that all workers hold the same bytes.
    const encoded = packStructure(encodeValue(value, 'the scattered value'))
    const object = { id: `o-${randomUUID()}`, encoded }
    const put = this.#connection.putObject(object.id, encoded, targets)
    if (durable) return this.#putDurably<T>(object, put)
    return put.then(
      (holders) => this.#handleOf<T>(object, holders),
      (error: unknown) => this.#putElsewhere<T>(object, targets, error),
    )
  }

  async #putDurably<T>(object: NewObject, put: Promise<Targets>): Promise<ScatteredObject<T>> {
    try {
      const [holders] = await Promise.all([put, this.#connection.putBlob(object.id, object.encoded)])
      return this.#handleOf<T>(object, holders)
    } catch (error) {
      // Some may have it.
      this.#connection.release([object.id])
      throw meshErrorOf(error)
    }
  }

  /** Workers that cannot be reached from here load it from the checkpoint-store, which mostly can. */
  async #putElsewhere<T>(object: NewObject, targets: Targets, error: unknown): Promise<ScatteredObject<T>> {
    const known = meshErrorOf(error)
    if (!(known instanceof MeshError && known.code === 'UNAVAILABLE')) {
      // Some may have it.
      this.#connection.release([object.id])
      throw known
    }
    await this.#connection.putBlob(object.id, object.encoded)
    return this.#handleOf<T>(object, targets)
  }

  #handleOf<T>({ id, encoded }: NewObject, holders: Targets): ScatteredObject<T> {
    const { byteLength, root } = encoded
    const held = new HeldValue<T>(this.#connection, id, byteLength, root, holders)
    return new ScatteredObject<T>(id, { byteLength, workerIds: holders.map((worker) => worker.id) }, held)
  }
}

interface NewObject {
  readonly id: string
  readonly encoded: EncodedValue
}

/** What a handle knows of its value: none of the bytes that were scattered. */
class HeldValue<T> {
  readonly #connection: Connection
  readonly objectId: string
  readonly byteLength: number
  readonly structure: Value
  readonly holders: Targets

  constructor(connection: Connection, objectId: string, byteLength: number, structure: Value, holders: Targets) {
    this.#connection = connection
    this.objectId = objectId
    this.byteLength = byteLength
    this.structure = structure
    this.holders = holders
  }

  release(): void {
    this.#connection.release([this.objectId])
  }

  fetch(): Promise<T> {
    return this.#connection.fetchObject(this, `the scattered value ${this.objectId}`) as Promise<T>
  }
}
