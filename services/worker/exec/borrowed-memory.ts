import { markAsUntransferable } from 'node:worker_threads'

import type { InputBody, InputValue, InputValues } from '#libs/submission'
import { findLibC, isSegmented, mapArea } from '#libs/memory'

import { leastLentBytes, type Loan } from './slot-loans.js'
import type { MemoryNews } from './slot-messages.js'

/** Who returns a large result more seldom may as well take fresh memory. */
const idleMs = 10_000

/** An input whose bytes lie in memory that the main side lends; in the message they are missing. */
export interface LentInput extends InputBody {
  readonly loan: Loan
}

/** What a slot's thread has of the main side's memory. */
export class BorrowedMemory {
  readonly #say: (news: MemoryNews) => void
  readonly #gone: FinalizationRegistry<bigint>
  #offered: Loan | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(say: (news: MemoryNews) => void) {
    this.#say = say
    this.#gone = new FinalizationRegistry((at) => this.#giveBack(at))
  }

  /** Memory for a large result; nothing for a short one or one of more than a segment, or when there is none. The main side has it from the end on that says so. */
  take(byteLength: number): Loan | undefined {
    const libc = byteLength >= leastLentBytes && !isSegmented({ byteLength }) ? findLibC() : undefined
    if (libc === undefined) return undefined
    const offered = this.#offered
    if (offered && offered.byteLength >= byteLength) {
      this.#offered = undefined
      return { at: offered.at, byteLength }
    }
    const area = mapArea(libc, byteLength)
    if (area === undefined) return undefined
    // At once: what the main side knows of goes back when this thread is ended.
    this.#say({ kind: 'mapped', area })
    return { at: area.at, byteLength }
  }

  /** Keeps memory for the next large result, if it comes soon. */
  keep(loan: Loan): void {
    this.drop()
    this.#offered = loan
    if (this.#idle) this.#idle.refresh()
    else this.#idle = setTimeout(() => this.drop(), idleMs).unref()
  }

  /** Gives back what is kept. */
  drop(): void {
    if (this.#offered) this.#giveBack(this.#offered.at)
    this.#offered = undefined
  }

  #giveBack(at: bigint): void {
    this.#say({ kind: 'gaveBack', at })
  }

  /** The inputs of a task with their bytes. A task may keep them as long as it likes: the memory goes back when nobody here has it. */
  view(inputs: InputValues): InputValues {
    if (inputs.size === 0 || ![...inputs.values()].some(isLent)) return inputs
    return new Map(
      [...inputs].map(([name, input]): [string, InputValue] => {
        if (!isLent(input)) return [name, input]
        const { loan, ...body } = input
        const bytes = viewOf(loan)
        this.#gone.register(bytes.buffer, loan.at)
        return [name, { ...body, bytes }]
      }),
    )
  }
}

/** The memory of a loan. It cannot be moved to another thread: it would outlive what is known of it. */
export function viewOf({ at, byteLength }: Loan): Uint8Array<ArrayBuffer> {
  const libc = findLibC()
  // Who lends can call it, in this process.
  if (libc === undefined) throw new Error('memory was lent to a thread that cannot see it: koffi cannot be loaded here')
  const buffer = libc.view(at, byteLength)
  markAsUntransferable(buffer)
  return new Uint8Array(buffer)
}

function isLent(input: InputValue): input is LentInput {
  return 'loan' in input
}
