import { Durability } from '#libs/proto'
import type { DurabilityLevel, SubmitOptions } from '#libs/task'

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
