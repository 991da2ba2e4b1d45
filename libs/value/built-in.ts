import { isComplexArray, isNdArray } from '#libs/task'

const builtIns = new Set<object | null>(
  [null, Object, Array, Map, Set, Date, Float64Array, Float32Array, Int8Array, Uint8Array, Uint8ClampedArray, Buffer]
    .concat([Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array] as never[])
    .map((constructor) => constructor && (constructor.prototype as object)),
)

/** Whether the object travels as it is. That of a subclass, or of a class of another realm, may have a codec. */
export function isBuiltIn(value: object): boolean {
  return builtIns.has(Object.getPrototypeOf(value) as object | null)
}

/** How long an array of numbers is that travels as one tensor; nothing for other values, and for instances of subclasses. */
export function tensorByteLength(value: object): number | undefined {
  if (ArrayBuffer.isView(value)) return isBuiltIn(value) ? value.byteLength : undefined
  if (isComplexArray(value)) return isOfBaseClass(value) ? value.data.byteLength : undefined
  if (!isNdArray(value) || !isOfBaseClass(value)) return undefined
  return isComplexArray(value.data) ? value.data.data.byteLength : value.data.byteLength
}

function isOfBaseClass(value: object): boolean {
  return Object.getPrototypeOf(Object.getPrototypeOf(value)) === Object.prototype
}
