import { Durability } from '#libs/proto'

import type { SubmitOptions } from './cluster.js'

/** How far a submit is safe: in the scheduler's memory, or on its disk. */
export type DurabilityLevel = 'memory' | 'fsynced'

/**
 * How safe a job must be before its submit is answered, as it travels; nothing for what is usual.
 *
 * @throws RangeError for what is no level.
 */
export function durabilityToWire({ durability }: Pick<SubmitOptions, 'durability'>): Durability | undefined {
  switch (durability) {
    case undefined:
      return undefined
    case 'memory':
      return Durability.MEMORY
    case 'fsynced':
      return Durability.FSYNCED
    default:
      throw new RangeError(`durability is '${String(durability satisfies never)}': give 'memory' or 'fsynced'`)
  }
}

/** The level that a receipt says. */
export function durabilityFromWire(durability: Durability | undefined): DurabilityLevel {
  return durability === Durability.FSYNCED ? 'fsynced' : 'memory'
}

/** What a cluster's options say of every submit. */
export function defaultsOf({ durability }: Pick<SubmitOptions, 'durability'>): SubmitOptions {
  return durability === undefined ? {} : { durability }
}
