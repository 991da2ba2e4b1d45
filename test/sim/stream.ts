import type { World } from './world.js'

/** What one end of a stream does with what comes. */
export interface StreamEnd<In> {
  heard(message: In): void
  closed(): void
}

const latencyMs = [0, 12] as const
/** A lost packet that is sent again. */
const slowMs = [200, 1_500] as const
const slowChance = 0.005
/** How long it may take an end to notice that the stream is cut. */
const noticeMs = [0, 2_500] as const

interface Direction {
  /** When the last of what is under way comes. */
  atMs: number
  readonly underWay: (() => void)[]
}

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
  readonly #upward: Direction = { atMs: 0, underWay: [] }
  readonly #downward: Direction = { atMs: 0, underWay: [] }
  #stalledUntilMs = 0

  constructor(world: World, client: StreamEnd<Down>) {
    this.#world = world
    this.#client = client
  }

  accept(server: StreamEnd<Up>): void {
    this.#server = server
  }

  up(message: Up): void {
    if (!this.#isEnded) this.#deliver(this.#upward, () => this.#server?.heard(message))
  }

  down(message: Down): void {
    if (!this.#isEnded) this.#deliver(this.#downward, () => this.#client.heard(message))
  }

  /** Closes in order: what was said still arrives. */
  end(): void {
    if (this.#isEnded || this.#isCut) return
    this.#isEnded = true
    this.#deliver(this.#upward, () => this.#server?.closed())
    this.#deliver(this.#downward, () => this.#client.closed())
  }

  cut(): void {
    if (this.#isCut) return
    this.#isCut = true
    const [least, most] = noticeMs
    this.#world.after(this.#world.between(least, most), () => this.#server?.closed())
    this.#world.after(this.#world.between(least, most), () => this.#client.closed())
  }

  /** Nothing arrives for so long, in either direction; then everything does, in order. */
  stall(forMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#world.nowMs + forMs)
  }

  #deliver(direction: Direction, act: () => void): void {
    const [least, most] = this.#world.chance(slowChance) ? slowMs : latencyMs
    const soonestMs = Math.max(direction.atMs, this.#stalledUntilMs)
    direction.atMs = Math.max(soonestMs, this.#world.nowMs + this.#world.between(least, most))
    direction.underWay.push(act)
    this.#arrive(direction, direction.atMs)
  }

  /** Whatever is due, what was said first comes first: what a stall holds up may come due after what was said in it. */
  #arrive(direction: Direction, atMs: number): void {
    this.#world.after(atMs - this.#world.nowMs, () => {
      if (this.#isCut) return
      if (this.#world.nowMs < this.#stalledUntilMs) this.#arrive(direction, this.#stalledUntilMs)
      else direction.underWay.shift()?.()
    })
  }
}
