import type { InputBody } from '#libs/submission'
import {
  copySegments,
  decodeValue,
  type DecodeOptions,
  encodeValue,
  type EncodeOptions,
  type ValueName,
} from '#libs/value'

/** Takes a value apart as for a mesh: what is done to it later does not matter. */
export function takeApart(value: unknown, what: ValueName, options?: EncodeOptions): InputBody {
  const encoded = encodeValue(value, what, options)
  return { kind: 'body', structure: encoded.root, bytes: copySegments(encoded) }
}

/** The value again, in memory of its own. */
export function putTogether({ structure, bytes }: InputBody, options: DecodeOptions): unknown {
  return decodeValue(structure, bytes, options)
}
