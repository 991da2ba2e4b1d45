import type { Fact } from './fact.js'

/** What must be done. Effects expect no answer; what comes of them is heard as an event. */
export type Effect =
  | {
      readonly kind: 'submitJobs'
      readonly pool: string
      readonly key: string
      /** One job, or an array of so many. */
      readonly count: number
      /** Nodes that the job must not get. */
      readonly excludedNodes: readonly string[]
    }
  | { readonly kind: 'cancelJobs'; readonly jobIds: readonly string[] }
  | { readonly kind: 'drainWorker'; readonly workerId: string; readonly onlyIfIdle: boolean }
  /** Something that people should read; `level` as the logger takes it. */
  | {
      readonly kind: 'tell'
      readonly level: 'info' | 'warn'
      readonly text: string
      readonly pool?: string
      readonly allocation?: string
      readonly jobId?: string
    }
  /** The allocation began to run: its wait in the queue is over. */
  | {
      readonly kind: 'recordQueueWait'
      readonly pool: string
      readonly key: string
      readonly allocation: string
      readonly jobId: string
      readonly submittedAtMs: number
      readonly startedAtMs: number
    }

export type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { readonly kind: Kind }>

/** Where `reconcile` puts what follows from an event. */
export interface Out {
  readonly facts: Fact[]
  readonly effects: Effect[]
}

export function createOut(): Out {
  return { facts: [], effects: [] }
}
