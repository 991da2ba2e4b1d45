import type { Span } from '@opentelemetry/api'

import type { Value } from '#libs/proto'
import { MeshError, type NumericArray, ScatteredObject } from '#libs/task'
import { failSpan } from '#libs/telemetry'
import { isSmallObject, isStriped, type ObjectPut, xxh64Of } from '#libs/transfer'
import { type EncodedValue, encodeValue, packStructure } from '#libs/value'

import type { BroadcastTarget } from './broadcast.js'
import type { ScatterOptions, WorkerInfo } from './cluster.js'
import type { MeshConnection } from './mesh-connection.js'
import { meshErrorOf } from './mesh-error.js'
import type { FetchedObject } from './object-fetch.js'
import { newObjectId } from './object-id.js'
import { ScatterTargets, type WaitingScatter } from './scatter-targets.js'

type Connection = Pick<
  MeshConnection,
  | 'check'
  | 'startPut'
  | 'startScatterSpan'
  | 'putToMany'
  | 'putBlob'
  | 'release'
  | 'fetchObject'
  | 'streamObject'
  | 'session'
>
type Targets = readonly BroadcastTarget[]

/** Puts values into workers' memory. */
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
    const { durable = false, broadcast = false } = options
    if (durable || broadcast) return this.#scatterWidely(value, options)
    return new Promise((resolve, reject) => {
      this.#targets.choose(new ScatterToOne(this.#connection, value, options, resolve, reject))
    })
  }

  async #scatterWidely<T>(value: T, options: ScatterOptions): Promise<ScatteredObject<T>> {
    const { durable = false, workers, broadcast } = options
    const targets = durable && !workers && !broadcast ? [] : await this.#targets.chosen(options)
    const connection = this.#connection
    const encoded = takeApart(value)
    const objectId = newObjectId()
    try {
      const put = targets.length > 0 ? connection.putToMany(objectId, encoded, targets) : targets
      const [holders] = await Promise.all([put, durable && connection.putBlob(objectId, encoded)])
      return handleOf(connection, objectId, partsToHold(encoded), holders)
    } catch (error) {
      if (!durable) return await recover(connection, objectId, encoded, targets, error)
      // Some may have it.
      connection.release([objectId])
      throw meshErrorOf(error)
    }
  }
}

/** A value on its way to a worker. Ten thousand at a time are usual: it is all that one costs, beside the promise of its handle. */
class ScatterToOne<T> implements WaitingScatter, ObjectPut {
  readonly options: ScatterOptions
  readonly objectId = newObjectId()
  addresses: readonly string[] = []
  readonly sessionId: string
  structure!: Value
  mostStructureBytes = 0
  segments: readonly Uint8Array[] = []
  byteLength = 0
  /** Of what was prepared. */
  xxh64: bigint | undefined
  #isApart = false
  readonly #connection: Connection
  #value: T | undefined
  #targets: Targets = []
  #span: Span | undefined
  readonly #resolve: (handle: ScatteredObject<T> | Promise<ScatteredObject<T>>) => void
  readonly #reject: (error: unknown) => void

  constructor(
    connection: Connection,
    value: T,
    options: ScatterOptions,
    resolve: (handle: ScatteredObject<T> | Promise<ScatteredObject<T>>) => void,
    reject: (error: unknown) => void,
  ) {
    this.options = options
    this.sessionId = connection.session.id
    this.#connection = connection
    this.#value = value
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Takes the value apart, and digests what goes with others. What cannot travel is said by `chosen`. */
  prepare(): void {
    try {
      this.#takeApart()
      if (isSmallObject(this)) this.xxh64 = xxh64Of(this.segments)
    } catch {
      this.#isApart = false
    }
  }

  #takeApart(): void {
    const { root, mostStructureBytes, segments, byteLength } = takeApart(this.#value)
    this.#value = undefined
    this.structure = root
    this.mostStructureBytes = mostStructureBytes
    this.segments = segments
    this.byteLength = byteLength
    this.#isApart = true
  }

  chosen(targets: WorkerInfo[]): void {
    if (!this.#isApart) this.#takeApart()
    this.#targets = targets
    this.addresses = targets[0]?.addresses ?? []
    this.#span = this.#connection.startScatterSpan()
    this.#connection.startPut(this)
  }

  refused(error: unknown): void {
    this.#reject(error)
  }

  moved(): void {
    this.#span?.end()
    this.#resolve(handleOf<T>(this.#connection, this.objectId, this, this.#targets))
  }

  failed(error: unknown): void {
    if (this.#span) failSpan(this.#span, error)
    this.#span?.end()
    const { structure: root, segments, byteLength, mostStructureBytes } = this
    const encoded = { root, segments, byteLength, mostStructureBytes }
    this.#resolve(recover<T>(this.#connection, this.objectId, encoded, this.#targets, error))
  }
}

/** Once, so that all workers hold the same bytes. */
function takeApart(value: unknown): EncodedValue {
  return packStructure(encodeValue(value, 'the scattered value'))
}

/** Workers that cannot be reached from here load it from the checkpoint-store, which mostly can. */
async function recover<T>(
  connection: Connection,
  objectId: string,
  encoded: EncodedValue,
  targets: Targets,
  error: unknown,
): Promise<ScatteredObject<T>> {
  const known = meshErrorOf(error)
  if (!(known instanceof MeshError && known.code === 'UNAVAILABLE')) {
    // Some may have it.
    connection.release([objectId])
    throw known
  }
  await connection.putBlob(objectId, encoded)
  return handleOf(connection, objectId, partsToHold(encoded), targets)
}

/** What a handle is made of. */
type HeldParts = Pick<ObjectPut, 'structure' | 'segments' | 'byteLength'>

function partsToHold({ root: structure, segments, byteLength }: EncodedValue): HeldParts {
  return { structure, segments, byteLength }
}

function handleOf<T>(
  connection: Connection,
  objectId: string,
  { byteLength, structure, segments }: HeldParts,
  holders: Targets,
): ScatteredObject<T> {
  const held = new HeldValue<T>(connection, objectId, byteLength, structure, holders)
  if (isStriped(byteLength, holders)) held.xxh64 = xxh64Of(segments)
  return new ScatteredObject<T>(objectId, { byteLength, workerIds: idsOf(holders) }, held)
}

const idsOfTargets = new WeakMap<Targets, readonly string[]>()

/** The same list for all that went to the same ones. */
function idsOf(targets: Targets): readonly string[] {
  let ids = idsOfTargets.get(targets)
  if (ids === undefined) idsOfTargets.set(targets, (ids = Object.freeze(targets.map(({ id }) => id))))
  return ids
}

/** What a handle knows of its value: none of the bytes that were scattered. */
class HeldValue<T> implements FetchedObject {
  readonly #connection: Connection
  readonly objectId: string
  readonly byteLength: number
  readonly structure: Value
  readonly holders: Targets
  /** Of what comes from several hosts at once. */
  xxh64: bigint | undefined

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
    return this.#connection.fetchObject(this) as Promise<T>
  }

  stream(chunkBytes: number): AsyncGenerator<NumericArray, void> {
    return this.#connection.streamObject(this, chunkBytes)
  }

  get what(): string {
    return `the scattered value ${this.objectId}`
  }
}
