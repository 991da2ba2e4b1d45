interface Said<Message> {
  readonly message: Message
  readonly placed: boolean
}

/** Messages that are said one in each turn of the loop. */
interface Series<Message> {
  readonly rest: Iterator<Message, void>
}

/**
 * What this end still has to say on a stream. Control messages never wait. Bulk messages take one of a few places first,
 * in the order of asking, so the memory of a stream with a slow reader stays bounded however many transfers it has.
 */
export class Outbox<Message> implements AsyncIterable<Message> {
  readonly #messages: (Said<Message> | Series<Message>)[] = []
  readonly #waiting: (() => void)[] = []
  readonly #places: number
  #taken = 0
  #wake: (() => void) | undefined
  #ended = false
  #error: Error | undefined

  /** `places` is how many bulk messages may lie here. */
  constructor(places = Infinity) {
    this.#places = places
  }

  /** Says something now. Ignored after the end. */
  push(message: Message): void {
    this.#add(message, false)
  }

  /**
   * Says long messages, each in a turn of its own: Node hands over to the socket at the end of a turn, so the other side reads the
   * first while the next is made. What is said after them waits for the last.
   */
  pushInTurns(messages: Iterable<Message, void>): void {
    if (this.#ended) return
    this.#messages.push({ rest: messages[Symbol.iterator]() })
    this.#wake?.()
  }

  /** Waits for a place. Who has one either fills or leaves it. Resolves at once after the end. */
  async takePlace(): Promise<void> {
    if (this.#ended) return
    if (this.#taken < this.#places) {
      this.#taken++
      return
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Says a bulk message in the place that was taken for it. */
  fillPlace(message: Message): void {
    this.#add(message, true)
  }

  /** Gives a place back unused. */
  leavePlace(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#taken--
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
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void> {
    try {
      for (;;) {
        if (this.#error) throw this.#error
        const next = this.#messages[0]
        if (next !== undefined && 'rest' in next) {
          const part = next.rest.next()
          if (part.done) {
            this.#messages.shift()
            continue
          }
          yield part.value
          await new Promise((resolve) => setImmediate(resolve))
          continue
        }
        if (next !== undefined) {
          this.#messages.shift()
          yield next.message
          // Asked for more, so the transport has taken it.
          if (next.placed) this.leavePlace()
          continue
        }
        if (this.#ended) return
        await new Promise<void>((resolve) => (this.#wake = resolve))
        this.#wake = undefined
      }
    } finally {
      this.end()
      this.#messages.length = 0
    }
  }

  #add(message: Message, placed: boolean): void {
    if (this.#ended) return
    this.#messages.push({ message, placed })
    this.#wake?.()
  }
}
