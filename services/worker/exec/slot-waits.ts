import { MeshError } from '#libs/task'

/** What is said of a task's waits. */
export interface WaitEvents {
  /** The task does nothing but wait: it gives its slot up. */
  awaits(wait: number): void
  /** It has what it waited for, and wants to go on. */
  woke(wait: number): void
}

/** A wait without a slot. */
interface Absence {
  readonly number: number
  readonly resumed: Promise<void>
  readonly resume: () => void
  isOver: boolean
}

/**
 * The waits of a task for tasks that it submitted. While all that the task does is wait, it holds no slot; what it waited for
 * is given to it when it has one again.
 */
export class SlotWaits {
  readonly #stop: AbortController
  readonly #events: WaitEvents
  readonly #refusals = new Set<(error: Error) => void>()
  #open = 0
  /** Submits that are under way. */
  #submits = 0
  #count = 0
  #absence: Absence | undefined
  #look: NodeJS.Immediate | undefined

  constructor(stop: AbortController, events: WaitEvents) {
    this.#stop = stop
    this.#events = events
  }

  /**
   * Until the scheduler knows of what the task submits, the task keeps its slot: else the scheduler would give it to the next that is
   * queued, not to what is waited for, and all that is queued would begin to wait.
   */
  noteSubmit(submitted: Promise<unknown>): void {
    this.#submits++
    const end = (): void => {
      this.#submits--
      this.#lookLater()
    }
    submitted.then(end, end)
  }

  /** Waits for this, if need be without a slot. A task that is told to stop waits no longer. */
  async pause<T>(wait: Promise<T>): Promise<T> {
    const { signal } = this.#stop
    signal.throwIfAborted()
    let giveUp: ((error: Error) => void) | undefined
    const stopped = new Promise<never>((_, reject) => (giveUp = reject))
    stopped.catch(() => undefined)
    const refuse = giveUp as unknown as (error: Error) => void
    const abort = (): void => refuse(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    this.#refusals.add(refuse)
    this.#open++
    this.#lookLater()
    try {
      return await Promise.race([wait, stopped])
    } finally {
      this.#open--
      this.#refusals.delete(refuse)
      const absence = this.#absence
      if (absence && !signal.aborted) {
        if (!absence.isOver) this.#events.woke(absence.number)
        absence.isOver = true
        await Promise.race([absence.resumed, stopped])
      }
      signal.removeEventListener('abort', abort)
    }
  }

  /** The task has a slot again, or may not be without one. */
  resume(wait: number, refusal: string | undefined): void {
    const absence = this.#absence
    if (absence?.number !== wait) return
    this.#absence = undefined
    absence.resume()
    if (refusal === undefined) return this.#lookLater()
    const error = new MeshError('RESOURCE_EXHAUSTED', 'TOO_MANY_WAITING', refusal)
    for (const refuse of this.#refusals) refuse(error)
  }

  /** When nothing else is left to do in this turn of the loop: a task may go on to compute before it waits. */
  #lookLater(): void {
    if (this.#absence || this.#look || this.#open === 0 || this.#submits > 0) return
    this.#look = setImmediate(() => {
      this.#look = undefined
      if (this.#open === 0 || this.#submits > 0 || this.#absence || this.#stop.signal.aborted) return
      let resume!: () => void
      const resumed = new Promise<void>((resolve) => (resume = resolve))
      const number = ++this.#count
      this.#absence = { number, resumed, resume, isOver: false }
      this.#events.awaits(number)
    })
  }
}
