export { decodePayload, decodeValue, inspectValue, MalformedValueError } from './decode.js'
export type { DecodeOptions, ReferenceResolver } from './decode.js'
export { elementsOf, type RemoteTensor } from './remote-tensor.js'
export { tensorByteLength } from './built-in.js'
export { CodecError } from './codec-error.js'
export {
  copySegments,
  copySegmentsTo,
  encodePayload,
  encodeValue,
  joinSegments,
  maxStructureBytes,
  nameOfPart,
  packStructure,
  UnserializableError,
} from './encode.js'
export type { EncodedValue, EncodeOptions, ReferenceFinder, ValueName } from './encode.js'
export { encodeFixedList, type Fixed, isFixed } from './fixed-list.js'
export { nameOfReference } from './reference-name.js'
