import { InvalidArgumentError } from 'commander'

/** The number of a version on the command line. */
export function parseVersion(text: string): bigint {
  if (/^[1-9]\d{0,14}$/.test(text)) return BigInt(text)
  throw new InvalidArgumentError('Give the number of a version, from 1.')
}
