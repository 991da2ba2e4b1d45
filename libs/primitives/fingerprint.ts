import { createHash } from 'node:crypto'

import { encodePayload, encodeValue } from '#libs/value'

/**
 * SHA-256 of a value as it travels, lower-case hexadecimal: equal values have equal ones, bit for bit.
 * @throws TypeError for a future or a scattered object in it, whose value is not known here; UnserializableError.
 */
export function fingerprintOf(value: unknown, what: string): string {
  const refuse = (part: object): undefined => {
    if ('workerIds' in part || 'wireResult' in part) {
      throw new TypeError(
        `${what} holds a future or a scattered object: give the value itself, so that it can be compared`,
      )
    }
    return undefined
  }
  const payload = encodePayload(encodeValue(value, what, { findReference: refuse }))
  return createHash('sha256').update(payload).digest('hex')
}

/** One fingerprint of several. */
export function joinFingerprints(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex')
}
