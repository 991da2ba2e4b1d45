export { decodePayload, decodeValue, inspectValue, MalformedValueError } from './decode.js'
export type { DecodeOptions, ReferenceResolver } from './decode.js'
export { elementByteLength, elementTypeOf, typedArrayOver } from './element-type.js'
export type { TypedArray } from './element-type.js'
export {
  copySegments,
  encodePayload,
  encodeValue,
  joinSegments,
  maxStructureBytes,
  nameOfPart,
  packStructure,
  UnserializableError,
} from './encode.js'
export type { EncodedValue, ReferenceFinder, ValueName } from './encode.js'
export { nameOfReference } from './reference-name.js'
