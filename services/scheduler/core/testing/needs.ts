import type { WorkerId } from '#libs/domain'

import type { TaskNeeds } from '../demand-class.js'

/** What every task of a job asks of its place, as tests say it. */
export interface TestNeeds {
  readonly resources?: Readonly<Record<string, number>>
  readonly priority?: number
  readonly on?: readonly string[]
  readonly host?: string
}

export function needsOf({ resources, priority, on, host }: TestNeeds): TaskNeeds | undefined {
  if (!(resources || priority || on || host)) return undefined
  return { resources: resources ?? {}, priority: priority ?? 0, workers: (on ?? []) as WorkerId[], host: host ?? '' }
}
