/**
 * What this end still has to say on a stream. Who sends much waits until the transport has taken what lies here, so the
 * memory of a stream with a slow reader stays bounded; control frames never wait.
 */
export class Outbox<Message> implements AsyncIterable<Message> {
  readonly #messages: Message[] = []
  readonly #room: (() => void)[] = []
  #wake: (() => void) | undefined
  #ended = false
  #error: Error | undefined

  /** Says something now. Ignored after the end. */
  push(message: Message): void {
    if (this.#ended) return
    this.#messages.push(message)
    this.#wake?.()
  }

  /** Resolves when fewer than `limit` messages wait, or the stream has ended. */
  async room(limit: number): Promise<void> {
    while (!this.#ended && this.#messages.length >= limit) {
      await new Promise<void>((resolve) => this.#room.push(resolve))
    }
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Nothing more is said; what lies here is still sent, unless there was an error. */
  end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#wake?.()
    for (const resolve of this.#room.splice(0)) resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void> {
    try {
      for (;;) {
        if (this.#error) throw this.#error
        const message = this.#messages.shift()
        if (message !== undefined) {
          yield message
          for (const resolve of this.#room.splice(0)) resolve()
          continue
        }
        if (this.#ended) return
        await new Promise<void>((resolve) => (this.#wake = resolve))
        this.#wake = undefined
      }
    } finally {
      this.end()
    }
  }
}
