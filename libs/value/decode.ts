import { type Bytes, bytesOf, copyBytes, partOf } from '#libs/memory'
import { Atom, type CodedValue, type PackedValue, Payload, type Reference, type Tensor, Value } from '#libs/proto'
import { type Codecs, NdArray, type NumericArray, ownCodecs } from '#libs/task'

import { failedCodec, unknownCodec } from './codec-error.js'
import { arrayOver, elementByteLength } from './element-type.js'

/** A value whose structure and body contradict each other, or that is malformed. */
export class MalformedValueError extends Error {
  override readonly name = 'MalformedValueError'
}

/** Gives the value that a reference stands for. */
export type ReferenceResolver = (reference: Reference) => unknown

/** How to put a value together again. */
export interface DecodeOptions {
  readonly resolve?: ReferenceResolver
  /** Typed arrays may be views of the body: it is 8-byte aligned and belongs to the reader alone. */
  readonly view?: boolean
  /** By which values of other classes are built; those of this program unless given. */
  readonly codecs?: Codecs | undefined
  /** What messages call the value, such as `the result of task f`. */
  readonly what?: string | undefined
}

/**
 * Puts a value together again. Typed arrays of rank 1 come back as such, other ranks as NdArray. They own their memory
 * unless `view` is set.
 *
 * @throws MalformedValueError when a tensor's shape, element type or place contradicts the body; CodecError when a codec is not
 * registered here, or throws.
 */
export function decodeValue(root: Value | undefined, body: Bytes, options: DecodeOptions = {}): unknown {
  return new Decoder(body, options).decode(root)
}

/** Puts a serialized `costate.types.v1.Payload` together again. */
export function decodePayload(payload: Uint8Array, options: DecodeOptions = {}): unknown {
  const { root, body } = Payload.decode(payload)
  return decodeValue(root, body, options)
}

/** Visits what a value refers to, and checks against the body's length what lies there. */
export function inspectValue(root: Value | undefined, bodyByteLength: number, visit: (to: Reference) => void): void {
  const kind = root?.kind
  if (kind === undefined) throw new MalformedValueError('a value is empty: set exactly one of its kinds')
  switch (kind.$case) {
    case 'list':
    case 'set':
      for (const value of kind.value.values) inspectValue(value, bodyByteLength, visit)
      return
    case 'record':
      for (const { value } of kind.value.entries) inspectValue(value, bodyByteLength, visit)
      return
    case 'map':
      for (const { key, value } of kind.value.entries) {
        inspectValue(key, bodyByteLength, visit)
        inspectValue(value, bodyByteLength, visit)
      }
      return
    case 'tensor':
      checkTensor(kind.value, bodyByteLength)
      return
    case 'packed':
      checkPacked(kind.value, bodyByteLength)
      return
    case 'reference':
      visit(kind.value)
      return
    case 'coded':
      if (kind.value.codec === '') throw new MalformedValueError('a coded value names no codec')
      inspectValue(kind.value.value, bodyByteLength, visit)
      return
    default:
  }
}

/** The number of elements; throws when element type, shape, length and place do not fit together. */
function checkTensor({ elementType, shape, offset, byteLength }: Tensor, bodyByteLength: number): number {
  const size = elementByteLength(elementType)
  if (size === undefined) throw new MalformedValueError(`a tensor has the unknown element type ${elementType}`)
  // Plain numbers do: what they cannot say exactly is longer than any body.
  const start = Number(offset)
  const bytes = Number(byteLength)
  let length = 1
  for (const extent of shape) length *= Number(extent)
  if (length * size !== bytes) {
    const needed = shape.reduce((product, extent) => product * extent, BigInt(size))
    throw new MalformedValueError(
      `a tensor of shape [${shape.join(', ')}] with ${size}-byte elements needs ${needed} bytes, but says ${byteLength}`,
    )
  }
  if (start % 8 !== 0 || start + bytes > bodyByteLength) {
    throw new MalformedValueError(
      `a tensor's bytes ${offset}…${offset + byteLength} do not lie, at a multiple of 8, in the ` +
        `body of ${bodyByteLength} bytes`,
    )
  }
  return length
}

function checkPacked({ offset, byteLength }: PackedValue, bodyByteLength: number): void {
  if (offset + byteLength <= BigInt(bodyByteLength)) return
  throw new MalformedValueError(
    `a packed value's bytes ${offset}…${offset + byteLength} do not lie in the body of ${bodyByteLength} bytes`,
  )
}

class Decoder {
  readonly #body: Bytes
  readonly #options: DecodeOptions

  constructor(body: Bytes, options: DecodeOptions) {
    this.#body = body
    this.#options = options
  }

  decode(value: Value | undefined): unknown {
    const kind = value?.kind
    switch (kind?.$case) {
      case 'atom':
        return kind.value === Atom.UNDEFINED ? undefined : null
      case 'boolean':
      case 'number':
      case 'text':
        return kind.value
      case 'integer':
        return BigInt(kind.value)
      case 'dateMs':
        return new Date(kind.value)
      case 'list':
        return kind.value.values.map((item) => this.decode(item))
      case 'set':
        return new Set(kind.value.values.map((item) => this.decode(item)))
      case 'record':
        return this.#decodeRecord(kind.value.entries)
      case 'map':
        return new Map(kind.value.entries.map((entry) => [this.decode(entry.key), this.decode(entry.value)]))
      case 'tensor':
        return this.#decodeTensor(kind.value)
      case 'packed':
        return this.#decodePacked(kind.value)
      case 'reference':
        if (this.#options.resolve) return this.#options.resolve(kind.value)
        throw new MalformedValueError('a value refers to another object where only data may be')
      case 'coded':
        return this.#decodeCoded(kind.value)
      case undefined:
        throw new MalformedValueError('a value is empty: set exactly one of its kinds')
      default:
        return kind satisfies never
    }
  }

  #decodeRecord(entries: readonly { key: string; value?: Value | undefined }[]): Record<string, unknown> {
    const record: Record<string, unknown> = {}
    for (const { key, value } of entries) {
      // Assigning to __proto__ would replace the prototype instead of making a property.
      if (key === '__proto__') {
        const options = { value: this.decode(value), enumerable: true, configurable: true, writable: true }
        Object.defineProperty(record, key, options)
      } else {
        record[key] = this.decode(value)
      }
    }
    return record
  }

  /** Its tensors lie in the same body. Nothing in it refers to other objects: nobody has looked for such. */
  #decodePacked(packed: PackedValue): unknown {
    checkPacked(packed, this.#body.byteLength)
    const start = Number(packed.offset)
    const root = Value.decode(partOf(this.#body, start, start + Number(packed.byteLength)))
    if (root.kind?.$case === 'packed') throw new MalformedValueError('a packed value is packed again')
    const { view = false, codecs, what } = this.#options
    return new Decoder(this.#body, { view, codecs, what }).decode(root)
  }

  #decodeCoded({ codec: name, value }: CodedValue): unknown {
    const { what = 'a value', codecs = ownCodecs } = this.#options
    const codec = codecs.get(name)
    if (codec === undefined) throw unknownCodec(name, what)
    const parts = this.decode(value)
    try {
      return codec.decode(parts)
    } catch (error) {
      throw failedCodec(name, what, error)
    }
  }

  #decodeTensor(tensor: Tensor): NumericArray | NdArray<NumericArray> {
    const length = checkTensor(tensor, this.#body.byteLength)
    const start = this.#body.byteOffset + Number(tensor.offset)
    const byteLength = Number(tensor.byteLength)
    const array =
      this.#options.view && start % 8 === 0
        ? arrayOver(tensor.elementType, this.#body.buffer, start, length)
        : arrayOver(tensor.elementType, copyRange(this.#body, Number(tensor.offset), byteLength), 0, length)
    return tensor.shape.length === 1 ? array : new NdArray(array, tensor.shape.map(Number))
  }
}

function copyRange({ buffer, byteOffset }: Bytes, offset: number, byteLength: number): ArrayBuffer {
  return copyBytes(bytesOf(buffer, byteOffset + offset, byteLength), new ArrayBuffer(byteLength)).buffer
}
