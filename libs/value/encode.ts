import { allocateLarge, type Bytes, maxBodyBytes, segmentsOf, writeBytes } from '#libs/memory'
import { Atom, ElementType, Payload, type Reference, Value } from '#libs/proto'
import {
  type Codec,
  type Codecs,
  isComplexArray,
  isNdArray,
  isSharedInput,
  type NumericArray,
  ownCodecs,
} from '#libs/task'

import { arrayStructure } from './array-structure.js'
import { isBuiltIn } from './built-in.js'
import { elementByteLength, elementTypeOf } from './element-type.js'
import { isWellFormed } from './well-formed.js'

/** A value taken apart: the structure, and the bytes of its tensors one behind the other, each at a multiple of 8. */
export interface EncodedValue {
  readonly root: Value
  readonly segments: readonly Uint8Array[]
  readonly byteLength: number
  /** The serialized structure has at most so many bytes. */
  readonly mostStructureBytes: number
}

/** A structure that takes more bytes than this is too large to travel in control messages. */
export const maxStructureBytes = 256 * 1024
/** More than what any value takes beside its text. */
const mostBytesPerValue = 64
const mostBytesPerExtent = 10
/** Arrays up to this share the structure with others of their length. */
const smallArrayBytes = 32 * 1024

/** Says what a value stands for when it is somewhere else (a future, a scattered buffer), or nothing. */
export type ReferenceFinder = (value: object) => Reference | undefined

/** How to take a value apart. */
export interface EncodeOptions {
  readonly findReference?: ReferenceFinder | undefined
  /** By which values of other classes travel; those of this program unless given. */
  readonly codecs?: Codecs | undefined
}

/** What messages call a value, or a part of it: `the result of task f`, or a function that says it of a path. */
export type ValueName = string | ((path: readonly (string | number)[]) => string)

/** A value that cannot travel; the message names the place and what to do. */
export class UnserializableError extends Error {
  override readonly name = 'UnserializableError'
  /** As a service would refuse it. */
  readonly code = 'INVALID_ARGUMENT'
  readonly reason = 'UNSERIALIZABLE'
}

const padding = [0, 1, 2, 3, 4, 5, 6, 7].map((length) => new Uint8Array(length))

/**
 * Takes a value apart for the wire. Typed arrays of any length, NdArray, Complex128Array, null, undefined, booleans, numbers
 * (bit for bit), bigints, strings, dates, arrays, plain objects, maps and sets, and what the codecs are for, nested at any
 * depth. The bytes are not copied: the segments are views of the caller's arrays.
 *
 * An object without a prototype comes back as a plain one, and so does a hole in an array as undefined.
 *
 * @throws UnserializableError for functions, symbols, instances of other classes, cycles, ArrayBuffers, text with lone
 * surrogates, and when a codec throws; `what` names the value in the message.
 */
export function encodeValue(value: unknown, what: ValueName, options: EncodeOptions = {}): EncodedValue {
  const array = encodeSmallArray(value)
  if (array) return array
  const encoder = new Encoder(what, options)
  const root = encoder.encode(value)
  const { segments, byteLength, mostStructureBytes } = encoder
  return { root, segments, byteLength, mostStructureBytes }
}

/** Small arrays come by the thousand, and mostly alike. */
function encodeSmallArray(value: unknown): EncodedValue | undefined {
  // One of a subclass may have a codec.
  if (!ArrayBuffer.isView(value) || value.byteLength > smallArrayBytes || !isBuiltIn(value)) return undefined
  const elementType = elementTypeOf(value)
  if (elementType === undefined) return undefined
  const { buffer, byteOffset, byteLength } = value
  return {
    root: arrayStructure(elementType, byteLength),
    segments: byteLength > 0 ? [new Uint8Array(buffer, byteOffset, byteLength)] : [],
    byteLength,
    mostStructureBytes: mostBytesPerValue + mostBytesPerExtent,
  }
}

/**
 * Moves a large structure (a long text, many small values) into the body, behind the tensors' bytes; others stay as they
 * are. Only for values without references: who passes the value on does not look into the body.
 */
export function packStructure(encoded: EncodedValue): EncodedValue {
  if (encoded.mostStructureBytes <= maxStructureBytes) return encoded
  const bytes = Value.encode(encoded.root).finish()
  if (bytes.byteLength <= maxStructureBytes) return { ...encoded, mostStructureBytes: bytes.byteLength }
  const packed = { offset: BigInt(encoded.byteLength), byteLength: BigInt(bytes.byteLength) }
  return {
    root: { kind: { $case: 'packed', value: packed } },
    segments: [...encoded.segments, bytes],
    byteLength: encoded.byteLength + bytes.byteLength,
    mostStructureBytes: mostBytesPerValue,
  }
}

/** The value as one serialized `costate.types.v1.Payload`. */
export function encodePayload(encoded: EncodedValue): Uint8Array {
  return Payload.encode({ root: encoded.root, body: joinSegments(encoded) }).finish()
}

/** The bytes of the value's tensors in one buffer; a copy unless there is at most one segment. */
export function joinSegments({ segments, byteLength }: Pick<EncodedValue, 'segments' | 'byteLength'>): Buffer {
  const [first] = segments
  if (segments.length === 1 && first) return Buffer.from(first.buffer, first.byteOffset, first.byteLength)
  return Buffer.concat(segments, byteLength)
}

/** The bytes of the value's tensors in a buffer of their own: what the arrays' owner does to them later does not matter. */
export function copySegments({
  segments,
  byteLength,
}: Pick<EncodedValue, 'segments' | 'byteLength'>): Bytes<ArrayBuffer> {
  const bytes = allocateLarge(byteLength)
  copySegmentsTo(bytes, segments)
  return bytes
}

/** The same into memory that is there. */
export function copySegmentsTo(target: Bytes, segments: readonly Uint8Array[]): void {
  let position = 0
  for (const segment of segments) {
    writeBytes(target, segment, position)
    position += segment.byteLength
  }
}

class Encoder {
  readonly segments: Uint8Array[] = []
  byteLength = 0
  mostStructureBytes = 0
  readonly #path: (string | number)[] = []
  /** Most values have none. */
  #ancestors: Set<object> | undefined
  readonly #what: ValueName
  readonly #findReference: ReferenceFinder | undefined
  readonly #codecs: Codecs

  constructor(what: ValueName, { findReference, codecs = ownCodecs }: EncodeOptions) {
    this.#what = what
    this.#findReference = findReference
    this.#codecs = codecs
  }

  encode(value: unknown): Value {
    this.mostStructureBytes += mostBytesPerValue
    switch (typeof value) {
      case 'number':
        return { kind: { $case: 'number', value } }
      case 'string':
        this.#countText(value)
        this.#checkText(value)
        return { kind: { $case: 'text', value } }
      case 'boolean':
        return { kind: { $case: 'boolean', value } }
      case 'bigint':
        return this.#encodeInteger(value)
      case 'undefined':
        return { kind: { $case: 'atom', value: Atom.UNDEFINED } }
      case 'object':
        return value === null ? { kind: { $case: 'atom', value: Atom.NULL } } : this.#encodeObject(value)
      default:
        throw this.#refuse(typeof value === 'function' ? 'a function' : 'a symbol')
    }
  }

  #encodeObject(value: object): Value {
    const reference = this.#findReference?.(value)
    if (reference) return { kind: { $case: 'reference', value: reference } }
    const codec = this.#findCodec(value)
    if (codec === undefined) {
      if (ArrayBuffer.isView(value) || isComplexArray(value)) return this.#encodeTensor(value)
      if (isNdArray(value)) return this.#encodeTensor(value.data, value.shape)
      // Only an argument can be shared: elsewhere the mark says nothing.
      if (isSharedInput(value)) return this.encode(value.input)
    }
    this.#ancestors ??= new Set()
    if (this.#ancestors.has(value)) throw this.#refuse('a cycle (the value contains itself)')
    this.#ancestors.add(value)
    const encoded = codec === undefined ? this.#encodeContainer(value) : this.#encodeCoded(value, ...codec)
    this.#ancestors.delete(value)
    return encoded
  }

  /** The codec that is for the value. */
  #findCodec(value: object): [string, Codec] | undefined {
    if (this.#codecs.size === 0 || isBuiltIn(value)) return undefined
    for (const named of this.#codecs) {
      if (this.#call(named[0], 'test', () => named[1].test(value))) return named
    }
    return undefined
  }

  #encodeCoded(value: object, name: string, codec: Codec): Value {
    const parts = this.#call(name, 'encode', () => codec.encode(value))
    if (typeof parts === 'object' && parts !== null && this.#findCodec(parts)?.[0] === name) {
      throw this.#unserializable(
        `cannot travel: encode of codec '${name}' returned a value that the codec is for itself`,
      )
    }
    this.#countText(name)
    return { kind: { $case: 'coded', value: { codec: name, value: this.encode(parts) } } }
  }

  #call<R>(name: string, what: 'test' | 'encode', call: () => R): R {
    try {
      return call()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw this.#unserializable(`cannot travel: ${what} of codec '${name}' threw: ${message}`, error)
    }
  }

  /** Half a surrogate pair would silently become U+FFFD. */
  #checkText(text: string): void {
    if (isWellFormed(text)) return
    throw this.#refuse(
      'text with a lone surrogate, which is no Unicode',
      'pass it as Uint16Array, or call toWellFormed()',
    )
  }

  #encodeContainer(value: object): Value {
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      throw this.#refuse(`a bare ${value.constructor.name}`, 'pass a view of it, such as new Uint8Array(buffer)')
    }
    if (Array.isArray(value)) return { kind: { $case: 'list', value: { values: this.#encodeAll(value) } } }
    if (value instanceof Date) return { kind: { $case: 'dateMs', value: value.getTime() } }
    if (value instanceof Map) {
      const entries = [...value].map(([key, item]) => ({
        key: this.#at('(key)', key),
        value: this.#at(String(key), item),
      }))
      return { kind: { $case: 'map', value: { entries } } }
    }
    if (value instanceof Set) return { kind: { $case: 'set', value: { values: this.#encodeAll([...value]) } } }
    const prototype = Object.getPrototypeOf(value) as unknown
    if (prototype !== null && prototype !== Object.prototype && !isForeignPlainObject(value)) {
      throw this.#refuse(
        `an instance of ${value.constructor.name}`,
        'pass its data as plain objects and typed arrays, or register a codec for it with registerCodec()',
      )
    }
    const entries = Object.entries(value).map(([key, item]) => {
      this.#countText(key)
      this.#checkText(key)
      return { key, value: this.#at(key, item) }
    })
    return { kind: { $case: 'record', value: { entries } } }
  }

  #encodeInteger(value: bigint): Value {
    const digits = value.toString()
    this.#countText(digits)
    return { kind: { $case: 'integer', value: digits } }
  }

  /** A UTF-16 unit takes at most three bytes. */
  #countText(text: string): void {
    this.mostStructureBytes += 3 * text.length
  }

  // A loop rather than map(): map() skips the holes of a sparse array.
  #encodeAll(items: readonly unknown[]): Value[] {
    const values: Value[] = []
    for (let i = 0; i < items.length; i++) values.push(this.#at(i, items[i]))
    return values
  }

  #at(key: string | number, value: unknown): Value {
    this.#path.push(key)
    const encoded = this.encode(value)
    this.#path.pop()
    return encoded
  }

  #encodeTensor(numbers: ArrayBufferView | NumericArray, shape?: readonly number[]): Value {
    const isComplex = isComplexArray(numbers)
    const array = isComplex ? numbers.data : numbers
    const elementType = isComplex ? ElementType.COMPLEX128 : elementTypeOf(array)
    if (elementType === undefined) throw this.#refuse('a DataView', 'pass a typed array')
    const gap = -this.byteLength & 7
    if (gap > 0) this.#append(padding[gap] as Uint8Array)
    const offset = BigInt(this.byteLength)
    for (const segment of segmentsOf(array)) if (segment.byteLength > 0) this.#append(segment)
    if (this.byteLength > maxBodyBytes) {
      const gigabytes = (this.byteLength / 1e9).toFixed(1)
      const most = maxBodyBytes / 2 ** 30
      throw this.#refuse(`the end of ${gigabytes} GB of arrays`, `one value may have ${most} GiB; pass it in parts`)
    }
    this.mostStructureBytes += mostBytesPerExtent * (shape?.length ?? 1)
    return {
      kind: {
        $case: 'tensor',
        value: {
          elementType,
          shape: (shape ?? [array.byteLength / (elementByteLength(elementType) ?? 1)]).map(BigInt),
          offset,
          byteLength: BigInt(array.byteLength),
        },
      },
    }
  }

  #append(bytes: Uint8Array): void {
    this.segments.push(bytes)
    this.byteLength += bytes.byteLength
  }

  #refuse(kind: string, advice?: string): UnserializableError {
    return this.#unserializable(`is ${kind}, which cannot travel${advice ? `: ${advice}` : ''}`)
  }

  #unserializable(why: string, cause?: unknown): UnserializableError {
    const name = typeof this.#what === 'string' ? nameOfPart(this.#what, this.#path) : this.#what(this.#path)
    return new UnserializableError(`${name} ${why}`, cause === undefined ? {} : { cause })
  }
}

/** A value, and where in it: `the result of task f, at .history[0],`. */
export function nameOfPart(what: string, path: readonly (string | number)[]): string {
  if (path.length === 0) return what
  return `${what}, at ${path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')},`
}

/** An object literal of another realm (a vm context): its prototype is some other Object.prototype. */
function isForeignPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object
  return Object.getPrototypeOf(prototype) === null && prototype.constructor.name === 'Object'
}
