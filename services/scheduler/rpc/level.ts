import { Durability } from '#libs/proto'

import type { AskOptions } from '../loop.js'

/** How safe a job is when its submit is answered: as safe as the journal makes it, unless less is enough. */
export function levelOf(
  wanted: Durability | undefined,
  best: Durability,
): AskOptions & { readonly durability: Durability } {
  return wanted === Durability.MEMORY ? { early: true, durability: wanted } : { durability: best }
}
