import type { Fact } from '../../services/scheduler/core/fact.js'
import type { TaskSpec } from '../../services/scheduler/core/job-spec.js'
import { factCodec } from '../../services/scheduler/storage/fact-codec.js'

/**
 * The disk under a scheduler: facts as the bytes that the journal would write, given back subject by subject as the
 * journal gives them. Sees every settle that ever became durable.
 */
export class SimulatedJournal {
  readonly #subjects = new Map<string, Uint8Array[]>()
  readonly #settled = new Set<string>()
  readonly #everDecided = new Set<string>()
  readonly #specs = new Map<string, TaskSpec[]>()

  /** What a scheduler decided, whether a crash leaves it or not: tasks are sent to workers before the settles of their inputs are flushed. */
  note(fact: Fact): void {
    if (fact.kind === 'taskSettled') this.#everDecided.add(`${fact.jobId}/${fact.index}`)
  }

  /** What was flushed: all that a crash leaves. */
  append(facts: readonly Fact[]): void {
    for (const fact of facts) {
      this.#watch(fact)
      const { name, does } = factCodec.subjectOf(fact)
      if (does === 'ends') {
        this.#subjects.delete(name)
        continue
      }
      const records = this.#subjects.get(name) ?? []
      this.#subjects.set(name, records)
      if (does === 'replaces') records.length = 0
      for (const part of factCodec.split?.(fact) ?? [fact]) records.push(Uint8Array.from(factCodec.encode(part)))
    }
  }

  *replay(): Generator<Fact> {
    for (const records of this.#subjects.values()) for (const bytes of records) yield factCodec.decode(bytes)
  }

  /** Whether the task's settle is on the disk, and its result was not lost since. */
  isSettled(jobId: string, index: number): boolean {
    return this.#settled.has(`${jobId}/${index}`)
  }

  /** No task is settled twice unless its result was lost between, and none finishes before its inputs were heard of. */
  #watch(fact: Fact): void {
    if (fact.kind === 'jobForgotten') {
      // Its name is free again.
      for (const task of this.#settled) if (task.startsWith(`${fact.jobId}/`)) this.#settled.delete(task)
      this.#specs.delete(fact.jobId)
      return
    }
    if (fact.kind === 'jobSubmitted') this.#specs.set(fact.job.jobId, [...fact.job.tasks])
    if (fact.kind === 'tasksAdded') this.#specs.get(fact.jobId)?.push(...fact.tasks)
    if (fact.kind !== 'taskSettled' && fact.kind !== 'taskReopened') return
    const task = `${fact.jobId}/${fact.index}`
    if (fact.kind === 'taskReopened') this.#settled.delete(task)
    else if (this.#settled.has(task)) throw new Error(`${task} was settled twice`)
    else {
      const { dependencies = [] } = this.#specs.get(fact.jobId)?.[fact.index] ?? {}
      const early = dependencies.find((input) => input.includes('/') && !this.#everDecided.has(input))
      if (fact.outcome.kind === 'finished' && early) throw new Error(`${task} was settled before its input ${early}`)
      this.#settled.add(task)
    }
  }
}
