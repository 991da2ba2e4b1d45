export {
  type Bytes,
  bytesOf,
  copyBytes,
  isSegmented,
  maxBodyBytes,
  partOf,
  segmentBytes,
  segmentsOf,
  wholeOf,
  writeBytes,
} from './bytes.js'
export { touchAhead } from './fresh-pages.js'
export { allocateLarge, shareSegmented } from './huge-pages.js'
export { findLibC, type LibC } from './libc.js'
export {
  type Area,
  findReusedMemory,
  mapArea,
  type ReusedMemory,
  type ReuseLimits,
  type UnseenMemory,
} from './reused-memory.js'
