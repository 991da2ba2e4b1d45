import { type ElementType, shareStructure, type Value } from '#libs/proto'

import { elementByteLength } from './element-type.js'

/** How many are remembered, before all are forgotten. */
const mostStructures = 64
/** More than there are element types. */
const elementTypes = 64

const structures = new Map<number, Value>()

/** The structure of a value that is one array of rank 1, which all such arrays share. */
export function arrayStructure(elementType: ElementType, byteLength: number): Value {
  const key = byteLength * elementTypes + elementType
  const known = structures.get(key)
  if (known) return known
  const shape = [BigInt(byteLength / (elementByteLength(elementType) ?? 1))]
  const value = { elementType, shape, offset: 0n, byteLength: BigInt(byteLength) }
  const structure = shareStructure({ kind: { $case: 'tensor', value } })
  if (structures.size >= mostStructures) structures.clear()
  structures.set(key, structure)
  return structure
}
