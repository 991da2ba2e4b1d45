import type { World } from './world.js'

/** What one end of a stream does with what comes. */
export interface StreamEnd<In> {
  heard(message: In): void
  closed(): void
}

const latencyMs = [0, 12] as const
/** How long it may take an end to notice that the stream is cut. */
const noticeMs = [0, 2_500] as const

/**
 * A stream as gRPC has it: each direction is in order, however late; streams are not in order among each other. A cut
 * loses what is under way, and each end notices it at its own time.
 */
export class Stream<Up, Down> {
  readonly #world: World
  readonly #client: StreamEnd<Down>
  #server: StreamEnd<Up> | undefined
  #isCut = false
  #isEnded = false
  #upAtMs = 0
  #downAtMs = 0

  constructor(world: World, client: StreamEnd<Down>) {
    this.#world = world
    this.#client = client
  }

  accept(server: StreamEnd<Up>): void {
    this.#server = server
  }

  up(message: Up): void {
    if (!this.#isEnded) this.#upAtMs = this.#deliver(this.#upAtMs, () => this.#server?.heard(message))
  }

  down(message: Down): void {
    if (!this.#isEnded) this.#downAtMs = this.#deliver(this.#downAtMs, () => this.#client.heard(message))
  }

  /** Closes in order: what was said still arrives. */
  end(): void {
    if (this.#isEnded || this.#isCut) return
    this.#isEnded = true
    this.#deliver(this.#upAtMs, () => this.#server?.closed())
    this.#deliver(this.#downAtMs, () => this.#client.closed())
  }

  cut(): void {
    if (this.#isCut) return
    this.#isCut = true
    const [least, most] = noticeMs
    this.#world.after(this.#world.between(least, most), () => this.#server?.closed())
    this.#world.after(this.#world.between(least, most), () => this.#client.closed())
  }

  #deliver(notBeforeMs: number, act: () => void): number {
    const [least, most] = latencyMs
    const atMs = Math.max(notBeforeMs, this.#world.nowMs + this.#world.between(least, most))
    this.#world.after(atMs - this.#world.nowMs, () => {
      if (!this.#isCut) act()
    })
    return atMs
  }
}
