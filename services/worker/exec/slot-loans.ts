import { type Area, findLibC, findReusedMemory } from '#libs/memory'

/** Shorter values are copied by the message that brings them. */
export const leastLentBytes = 4 * 2 ** 20

/** Memory of the main side that a slot's thread has, by where it lies: the threads of a process see the same. */
export interface Loan {
  readonly at: bigint
  readonly byteLength: number
}

/** What the thread of one slot has of the main side's memory. It is given back when the thread says so, and all of it when the thread has ended. */
export interface SlotLoans {
  /** Memory that was used before, for a result of that length; nothing when there is none, or the thread has some already. */
  offer(byteLength: number): Loan | undefined
  /** Memory with a copy of these; nothing when they are too few, or there is none. */
  lendCopy(bytes: Uint8Array): Loan | undefined
  /** The thread has mapped this itself. */
  noteMapped(area: Area): void
  /** The thread has given it up. */
  takeBack(at: bigint): void
  /** What the thread has written there is the main side's from now on. */
  adopt(loan: Loan): Uint8Array<ArrayBuffer>
  /** The thread has ended. */
  close(): void
}

/** Nothing where memory cannot be lent. */
export function createSlotLoans(): SlotLoans | undefined {
  const reused = findReusedMemory()
  const libc = findLibC()
  if (reused === undefined || libc === undefined) return undefined
  const lent = new Map<bigint, Area>()
  /** Where what was offered lies, until it is used or given back. */
  let offeredAt: bigint | undefined
  let isOpen = true

  function lend(area: Area | undefined, byteLength: number): Loan | undefined {
    if (area === undefined) return undefined
    lent.set(area.at, area)
    return { at: area.at, byteLength }
  }

  function take(at: bigint): Area | undefined {
    const area = lent.get(at)
    lent.delete(at)
    if (offeredAt === at) offeredAt = undefined
    return area
  }

  return {
    offer: (byteLength) => {
      if (!isOpen || offeredAt !== undefined) return undefined
      const area = reused.takeIdleArea(byteLength)
      offeredAt = area?.at
      return lend(area, area?.byteLength ?? 0)
    },
    noteMapped: (area) => void lend(area, area.byteLength),
    lendCopy: (bytes) => {
      const { byteLength } = bytes
      if (!isOpen || byteLength < leastLentBytes) return undefined
      const loan = lend(reused.takeArea(byteLength), byteLength)
      if (loan) libc.copy(bytes, loan.at)
      return loan
    },
    takeBack: (at) => {
      const area = take(at)
      if (area) reused.giveBack(area)
    },
    adopt: ({ at, byteLength }) => {
      const area = take(at)
      if (area === undefined || byteLength > area.byteLength)
        throw new Error(`no ${byteLength} bytes were lent at ${at}`)
      return reused.watch(area, byteLength)
    },
    close: () => {
      isOpen = false
      for (const area of lent.values()) reused.giveBack(area)
      lent.clear()
    },
  }
}
