import type { MeshJob } from '#libs/submission'

/**
 * The jobs that a client has something to hear of. One that is settled is held only as long as the program holds it or one
 * of its futures: a program that submits for weeks does not grow.
 */
export class JobTable {
  readonly #open = new Map<string, MeshJob>()
  readonly #settled = new Map<string, WeakRef<MeshJob>>()
  readonly #forgotten = new FinalizationRegistry<string>((id) => this.#settled.delete(id))

  get size(): number {
    return this.#open.size + this.#settled.size
  }

  get(id: string): MeshJob | undefined {
    return this.#open.get(id) ?? this.#settled.get(id)?.deref()
  }

  add(job: MeshJob): void {
    this.#open.set(job.id, job)
  }

  /** Lets go of the job when all its tasks are settled. Their results may still be lost and computed again. */
  noteSettled(job: MeshJob): void {
    if (!job.isSettled || !this.#open.delete(job.id)) return
    this.#settled.set(job.id, new WeakRef(job))
    this.#forgotten.register(job, job.id)
  }

  *[Symbol.iterator](): Generator<MeshJob> {
    yield* this.#open.values()
    for (const reference of this.#settled.values()) {
      const job = reference.deref()
      if (job) yield job
    }
  }
}
