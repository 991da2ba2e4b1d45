/** Where the processor time of tasks went, by stacks of the user's functions. */
export interface CpuSamples {
  /** Functions as `name (file:line)`, each once. */
  readonly frames: readonly string[]
  /** Stacks, outermost function first, as places in `frames`; each with the microseconds that its innermost function itself took. */
  readonly stacks: readonly (readonly [stack: readonly number[], us: number])[]
  /** Time in no function of the user: the runtime, decoding, waits. Microseconds. */
  readonly otherUs: number
}

/** More stacks than these are drawn by nobody: the shortest ones join those that they are a part of. */
const mostStacks = 4_000

/** Adds samples up, within a bounded number of stacks. */
export class SampleSum {
  readonly #byStack = new Map<string, { readonly frames: readonly string[]; us: number }>()
  #otherUs = 0

  add(frames: readonly string[], us: number): void {
    if (frames.length === 0) {
      this.#otherUs += us
      return
    }
    const key = frames.join('\n')
    const known = this.#byStack.get(key)
    if (known) known.us += us
    else this.#byStack.set(key, { frames, us })
    if (this.#byStack.size > 2 * mostStacks) this.#shrink()
  }

  addAll({ frames, stacks, otherUs }: CpuSamples): void {
    this.#otherUs += otherUs
    for (const [stack, us] of stacks) {
      this.add(
        stack.map((place) => frames[place] ?? ''),
        us,
      )
    }
  }

  total(): CpuSamples {
    if (this.#byStack.size > mostStacks) this.#shrink()
    const places = new Map<string, number>()
    const placeOf = (frame: string): number => {
      const place = places.get(frame) ?? places.size
      places.set(frame, place)
      return place
    }
    const stacks = [...this.#byStack.values()].map(({ frames, us }) => [frames.map(placeOf), us] as const)
    return { frames: [...places.keys()], stacks, otherUs: this.#otherUs }
  }

  /** The shortest lose their innermost function until there is room: their time stays with what called it. */
  #shrink(): void {
    while (this.#byStack.size > mostStacks) {
      const shortest = [...this.#byStack].sort(([, a], [, b]) => a.us - b.us).slice(0, Math.ceil(mostStacks / 4))
      for (const [key, { frames, us }] of shortest) {
        this.#byStack.delete(key)
        const rest = frames.slice(0, -1)
        const known = this.#byStack.get(rest.join('\n'))
        if (rest.length === 0) this.#otherUs += us
        else if (known) known.us += us
        else this.#byStack.set(rest.join('\n'), { frames: rest, us })
      }
    }
  }
}
