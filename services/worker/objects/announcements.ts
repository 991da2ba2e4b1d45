import { randomUUID } from 'node:crypto'

import type { ObjectDescriptor, ObjectsStored } from '#libs/proto'

/** Says that objects were scattered here; resolves when the scheduler knows of them. */
export type AnnounceStored = (report: {
  /** Empty for one that is made here. */
  readonly requestId: string
  readonly sessionId: string
  readonly objects: ObjectDescriptor[]
}) => Promise<void>

interface Pending {
  readonly report: ObjectsStored
  readonly acknowledged: Promise<void>
  readonly acknowledge: () => void
  /** It was said on the link that is open now, or is in its hello. */
  said: boolean
}

/** Reports of scattered objects, each kept until the scheduler acknowledges it: a report that a cut swallows is repeated. */
export interface Announcements {
  readonly announce: AnnounceStored
  acknowledge(requestId: string): void
  /** What a hello repeats. */
  repeat(): Pick<Pending, 'report'>[]
  /** Says what came between the hello and its answer. */
  catchUp(): void
}

/**
 * `say` says a report, or returns false when nobody can hear it now. What is not held any more when it could be said again is
 * said no more: somebody might look for it here.
 */
export function createAnnouncements(
  say: (report: ObjectsStored) => boolean,
  isHeld: (objectId: string) => boolean,
): Announcements {
  const pending = new Map<string, Pending>()

  function forgetDropped(): void {
    for (const [requestId, { report, acknowledge }] of pending) {
      if (report.objects.every(({ objectId }) => isHeld(objectId))) continue
      report.objects = report.objects.filter(({ objectId }) => isHeld(objectId))
      if (report.objects.length > 0) continue
      pending.delete(requestId)
      acknowledge()
    }
  }

  return {
    announce: (content) => {
      const requestId = content.requestId || randomUUID()
      const known = pending.get(requestId)
      if (known) return known.acknowledged
      const report = { ...content, requestId }
      let acknowledge!: () => void
      const acknowledged = new Promise<void>((resolve) => (acknowledge = resolve))
      pending.set(requestId, { report, acknowledged, acknowledge, said: say(report) })
      return acknowledged
    },
    acknowledge: (requestId) => {
      pending.get(requestId)?.acknowledge()
      pending.delete(requestId)
    },
    repeat: () => {
      forgetDropped()
      for (const announcement of pending.values()) announcement.said = true
      return [...pending.values()]
    },
    catchUp: () => {
      forgetDropped()
      for (const announcement of pending.values()) announcement.said ||= say(announcement.report)
    },
  }
}
