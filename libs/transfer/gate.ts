/** Lets a few in at a time; the others wait in line. */
export class Gate {
  readonly #waiting = new Set<() => void>()
  #free: number

  constructor(places: number) {
    this.#free = places
  }

  /** Waits for a place. Rejects with the signal's reason when it aborts first. */
  async enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return
    }
    await new Promise<void>((resolve, reject) => {
      const admit = (): void => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = (): void => {
        this.#waiting.delete(admit)
        reject(signal?.reason as Error)
      }
      this.#waiting.add(admit)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** Passes the place on to who waits longest. */
  leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
