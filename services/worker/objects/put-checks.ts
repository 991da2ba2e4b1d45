import { Status } from 'nice-grpc-common'

import { type ObjectId, parseTaskId } from '#libs/domain'
import { DigestAlgorithm, ObjectDescriptor, type TransferHeader, type TransferOpen, type Value } from '#libs/proto'
import { nameOf, TransferError } from '#libs/transfer'
import { inspectValue } from '#libs/value'

import { descriptorOf, type NewObject, type ObjectStore, type StoredObject } from './object-store.js'

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** What a put of one object says. */
export interface IncomingPut {
  readonly objectId: ObjectId
  readonly requestId: string
  readonly sessionId: string
  /** For messages. */
  readonly name: string
  /** It is the result of a task. */
  readonly isResult: boolean
}

/** What a fetch asks for: also the result of a task, which only a worker that has it can give. */
export function fetchToDomain(open: TransferOpen): IncomingPut {
  const { target } = open
  const id = target?.$case === 'objectId' ? target.value : ''
  if (!parseTaskId(id)) return putToDomain(open)
  return { ...idsOf(open), objectId: id as ObjectId, isResult: true }
}

export function putToDomain(open: TransferOpen): IncomingPut {
  const { target } = open
  const objectId = objectIdToDomain(target?.$case === 'objectId' ? target.value : '', nameOf(open))
  return { ...idsOf(open), objectId, isResult: false }
}

function idsOf(open: TransferOpen): Omit<IncomingPut, 'objectId' | 'isResult'> {
  const name = nameOf(open)
  const requestId = uuidToDomain('request_id', 'BAD_REQUEST_ID', open.requestId, name)
  return { name, requestId, sessionId: sessionToDomain(open) }
}

/** `name` is what is put, for messages. */
export function objectIdToDomain(id: string, name?: string): ObjectId {
  if (/^o-[0-9a-f-]{36}$/.test(id)) return id as ObjectId
  const message = `${name ?? `object ${id}`}: only a new object, o- and a UUID, can be put to a worker`
  throw new TransferError(Status.INVALID_ARGUMENT, 'BAD_TARGET', message)
}

export function sessionToDomain(open: TransferOpen): string {
  return uuidToDomain('session_id', 'BAD_SESSION_ID', open.sessionId, nameOf(open))
}

/** Both ids may be left out. */
function uuidToDomain(field: string, reason: string, id: string, name: string): string {
  if (id === '' || uuidPattern.test(id)) return id.toLowerCase()
  throw new TransferError(Status.INVALID_ARGUMENT, reason, `${name}: ${field} '${id.slice(0, 64)}' is no UUID`)
}

/** For what would lead the worker over its limit. */
export function noRoom(name: string, byteLength: number, limitBytes: number, why?: string): TransferError {
  const message =
    `${name} has ${byteLength} bytes; the worker's limit of ${limitBytes} leaves no room for it: release objects, or ` +
    `scatter to more workers${why === undefined ? '' : ` (${why})`}`
  return new TransferError(Status.RESOURCE_EXHAUSTED, 'NO_MEMORY', message)
}

/** What is put holds its own bytes, and they fit to what it says it is. */
export function checkStructure(name: string, structure: Value | undefined, byteLength: bigint): void {
  try {
    inspectValue(structure, Number(byteLength), () => {
      throw new Error('a scattered value refers to another object')
    })
  } catch (error) {
    throw badStructure(name, (error as Error).message)
  }
}

export function checkDigestAlgorithm(name: string, { digestAlgorithm }: TransferHeader): void {
  if (digestAlgorithm !== DigestAlgorithm.XXH64) throw badStructure(name, 'objects are digested with xxh64')
}

/** Objects never change: one that is held already must be the same. */
export function checkSame(name: string, held: StoredObject, object: NewObject): void {
  const [one, other] = [held.descriptor, descriptorOf(object)].map((each) => ObjectDescriptor.encode(each).finish())
  if (!Buffer.from(one!).equals(other!)) throw otherBytes(name)
}

/** Keeps the object, unless it is held already; then it must be the same. */
export function keepOnce(store: ObjectStore, object: NewObject, name?: string): StoredObject {
  const stored = store.keep(object)
  if (!isNew(stored, object)) checkSame(name ?? `object ${object.objectId}`, stored, object)
  return stored
}

function isNew(stored: StoredObject, { bytes, batched }: NewObject): boolean {
  if (stored.place !== 'memory') return false
  return batched ? stored.batched === batched : bytes !== undefined && stored.bytes === bytes
}

export function otherBytes(name: string): TransferError {
  const message = `${name} is here already, with another value: objects never change; give the new one an id of its own`
  return new TransferError(Status.ALREADY_EXISTS, 'OBJECT_EXISTS', message)
}

function badStructure(name: string, what: string): TransferError {
  return new TransferError(Status.INVALID_ARGUMENT, 'BAD_STRUCTURE', `${name}: ${what}`)
}
