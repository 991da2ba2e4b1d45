import type { ObjectId, WorkerId } from '#libs/domain'

/** Until when a worker gets no tasks, and why. */
export interface Quarantine {
  readonly untilMs: number
  readonly why: string
}

/** What a restart must know of a quarantine: how long the next one would be, too. */
export interface Confinement {
  readonly quarantine: Quarantine
  readonly strikes: number
}

/** What went wrong in one place, as far as no task is known to be to blame. */
export interface Trouble {
  readonly tasks: ReadonlySet<ObjectId>
  readonly workerId: WorkerId
}

/** How a worker or a host did lately. */
export interface Standing {
  /** Since something went well. Each is about other tasks than the others. */
  troubles: Trouble[]
  /** How many quarantines followed each other, with nothing that went well between. */
  strikes: number
  troubledAtMs: number
}

export interface HostStanding extends Standing {
  quarantine: Quarantine | undefined
}
