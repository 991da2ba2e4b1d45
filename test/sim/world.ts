import { Dice } from './dice.js'

interface Appointment {
  readonly atMs: number
  readonly number: number
  readonly act: () => void
}

/** Time and chance of a simulation: everything that happens in it is due here, and depends on the seed alone. */
export class World extends Dice {
  nowMs = 0
  /** What happened, for people: the last lines are shown when a run fails. */
  readonly story: string[] = []
  readonly #due: Appointment[] = []
  readonly #notes: boolean
  #count = 0

  constructor(seed: number, notes = false) {
    super(seed, 0)
    this.#notes = notes
  }

  after(delayMs: number, act: () => void): void {
    this.#push({ atMs: this.nowMs + delayMs, number: this.#count++, act })
  }

  runFor(ms: number): void {
    const untilMs = this.nowMs + ms
    for (let next = this.#due[0]; next !== undefined && next.atMs <= untilMs; next = this.#due[0]) {
      this.#pop()
      this.nowMs = next.atMs
      next.act()
    }
    this.nowMs = untilMs
  }

  /** What is told only of a run that is known to fail: it would slow the others down. */
  note(line: () => string): void {
    if (this.#notes) this.tell(line())
  }

  tell(line: string): void {
    this.story.push(`${this.nowMs.toFixed(0).padStart(7)} ms  ${line}`)
  }

  // A binary heap by time, then by order of appointment.
  #push(added: Appointment): void {
    const due = this.#due
    let at = due.push(added) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(added, due[parent]!)) break
      due[at] = due[parent]!
      at = parent
    }
    due[at] = added
  }

  #pop(): void {
    const due = this.#due
    const moved = due.pop()!
    if (due.length === 0) return
    let at = 0
    for (let child = 1; child < due.length; child = at * 2 + 1) {
      if (child + 1 < due.length && isBefore(due[child + 1]!, due[child]!)) child++
      if (!isBefore(due[child]!, moved)) break
      due[at] = due[child]!
      at = child
    }
    due[at] = moved
  }
}

function isBefore(a: Appointment, b: Appointment): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number)
}
