import { describe, expect, test } from 'vitest'

import { findReusedMemory } from '#libs/memory'

import { viewOf } from './borrowed-memory.js'
import { createSlotLoans, leastLentBytes, type Loan, type SlotLoans } from './slot-loans.js'

const idleBytes = (): number => findReusedMemory()?.idleBytes ?? NaN

function lender(): SlotLoans {
  const memory = createSlotLoans()
  if (memory === undefined) throw new Error('memory cannot be lent here')
  return memory
}

function lent(loan: Loan | undefined): Loan {
  if (loan === undefined) throw new Error('nothing was lent')
  return loan
}

describe.runIf(findReusedMemory())('memory that a slot has', () => {
  test('a copy is a copy', () => {
    const bytes = new Uint8Array(leastLentBytes).fill(3)
    const memory = lender()
    const copy = viewOf(lent(memory.lendCopy(bytes)))
    copy[0] = 4
    expect([bytes[0], copy[0], copy.at(-1), copy.byteLength]).toEqual([3, 4, 3, leastLentBytes])
  })

  test('what a thread wrote is taken over as it is, once', () => {
    const memory = lender()
    const loan = lent(memory.lendCopy(new Uint8Array(leastLentBytes + 8)))
    viewOf(loan).fill(5)
    const bytes = memory.adopt(loan)
    expect([bytes.byteLength, bytes[0], bytes.at(-1)]).toEqual([leastLentBytes + 8, 5, 5])
    expect(() => memory.adopt(loan)).toThrow('were lent')
  })

  test('no more is taken over than was lent', () => {
    const memory = lender()
    const loan = lent(memory.lendCopy(new Uint8Array(leastLentBytes)))
    expect(() => memory.adopt({ ...loan, byteLength: 2 ** 30 })).toThrow('were lent')
  })

  test('what is given back twice is lent once', () => {
    const memory = lender()
    const loan = lent(memory.lendCopy(new Uint8Array(leastLentBytes)))
    const before = idleBytes()
    memory.takeBack(loan.at)
    expect(idleBytes()).toBeGreaterThanOrEqual(before + leastLentBytes)
    const after = idleBytes()
    memory.takeBack(loan.at)
    expect(idleBytes()).toBe(after)
  })

  test('all goes back when the thread has ended, and nothing is lent to it any more', () => {
    const memory = lender()
    const before = idleBytes()
    const bytes = new Uint8Array(leastLentBytes)
    memory.lendCopy(bytes)
    memory.lendCopy(bytes)
    memory.close()
    expect(idleBytes()).toBeGreaterThanOrEqual(before)
    expect(memory.lendCopy(bytes)).toBeUndefined()
    expect(memory.offer(leastLentBytes)).toBeUndefined()
  })

  test('little is not lent', () => {
    expect(lender().lendCopy(new Uint8Array(leastLentBytes - 1))).toBeUndefined()
  })

  test('what was used before is offered for the next result, one at a time', () => {
    const memory = lender()
    const long = 40 * 2 ** 20
    const first = lent(memory.lendCopy(new Uint8Array(long)))
    expect(memory.offer(long)).toBeUndefined()
    memory.takeBack(first.at)
    const offered = lent(memory.offer(long))
    expect(offered.at).toBe(first.at)
    expect(memory.offer(long)).toBeUndefined()
    memory.takeBack(offered.at)
    expect(memory.offer(long)?.at).toBe(first.at)
    memory.close()
  })

  test('what a thread has mapped itself is taken over, or given back with the rest', () => {
    const [memory, other] = [lender(), lender()]
    const { at, byteLength } = lent(other.lendCopy(new Uint8Array(leastLentBytes)))
    viewOf({ at, byteLength }).fill(6)
    memory.noteMapped({ at, byteLength })
    expect(memory.adopt({ at, byteLength }).at(-1)).toBe(6)
  })
})
