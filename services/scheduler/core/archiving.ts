import type { ObjectId } from '#libs/domain'

import type { Job, Task } from './state.js'

/** What is on its way to the checkpoint-store, and what is to go from there. Not durable: workers that join say what they hold. */
export interface Archiving {
  /** Large results that are to be there, as far as it is not known that they are. */
  readonly awaited: Map<Job, Set<Task>>
  /** When they were asked for again. */
  askedAtMs: number
  /** The blobs of objects that nobody wants any more, while no worker is linked that could say so. */
  readonly unwanted: Map<ObjectId, string>
}

export function createArchiving(): Archiving {
  return { awaited: new Map(), askedAtMs: 0, unwanted: new Map() }
}
