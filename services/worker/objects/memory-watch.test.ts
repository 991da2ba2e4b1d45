import { expect, test } from 'vitest'

import { memoryPolicyOf } from './memory-policy.js'
import { watchMemory } from './memory-watch.js'

function createLab() {
  const has = { rssBytes: 0, isBusy: true, canRelieve: true }
  const said: boolean[] = []
  const relieved: boolean[] = []
  let collections = 0
  const spilling = {
    relieve: (isNearlyFull: boolean) => void relieved.push(isNearlyFull),
    get canRelieve() {
      return has.canRelieve
    },
  }
  const watch = watchMemory(memoryPolicyOf(1000, 0.6), {
    rssBytes: () => has.rssBytes,
    isBusy: () => has.isBusy,
    room: { isWanted: false, admit: () => undefined },
    spilling,
    collect: () => {
      collections++
    },
    pressed: (isPaused) => void said.push(isPaused),
  })
  watch.stop()
  const look = (now: Partial<typeof has>): boolean => {
    Object.assign(has, now)
    watch.look()
    return watch.isPaused
  }
  return { watch, has, look, said, relieved, collections: () => collections }
}

test('at 80 % of the limit tasks are paused and all is spilled, until there is some room again', () => {
  const { look, said, relieved } = createLab()
  expect([790, 800, 760, 740].map((rssBytes) => look({ rssBytes }))).toEqual([false, true, true, false])
  expect(said).toEqual([true, false])
  expect(relieved).toEqual([false, true, true, false])
})

test('garbage is collected when memory is nearly full, and not each time', () => {
  const { look, collections } = createLab()
  look({ rssBytes: 590 })
  expect(collections()).toBe(0)
  for (let i = 0; i < 10; i++) look({ rssBytes: 900 })
  expect(collections()).toBe(2)
})

test('over the target it is collected whenever enough has come that may be garbage', () => {
  const { look, collections } = createLab()
  const after = (...all: number[]): number => {
    for (const rssBytes of all) look({ rssBytes })
    return collections()
  }
  expect(after(590, 650)).toBe(1)
  expect(after(700)).toBe(1)
  expect(after(720)).toBe(2)
  // It took effect after the look.
  expect(after(620, 680)).toBe(2)
  expect(after(690)).toBe(3)
})

test('what grows fast is looked at without waiting for the next turn', () => {
  const { watch, has, said } = createLab()
  has.rssBytes = 850
  watch.grew(20)
  expect(said).toEqual([])
  watch.grew(20)
  expect(said).toEqual([true])
})

test('when no task runs and nothing can be spilled, waiting would help nobody', () => {
  const { look } = createLab()
  expect(look({ rssBytes: 900, isBusy: false })).toBe(true)
  expect(look({ canRelieve: false })).toBe(false)
  expect(look({ isBusy: true })).toBe(true)
})
