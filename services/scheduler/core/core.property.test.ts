import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { Fact } from './fact.js'
import { RandomMesh } from './testing/random-mesh.js'

/** What a run does is a list of numbers, from which each step takes what it needs. */
const histories = fc.noBias(
  fc.array(fc.array(fc.nat(9_999), { minLength: 16, maxLength: 16 }), { minLength: 10, maxLength: 120, size: 'max' }),
)

function play(history: readonly (readonly number[])[]): RandomMesh {
  const random = new RandomMesh()
  for (const numbers of history) {
    let at = 0
    // The mesh checks after each event that the invariants hold, and that the facts rebuild what is durable.
    random.step((below) => (numbers[at++ % numbers.length] ?? 0) % Math.max(1, below))
  }
  return random
}

test('whatever happens: invariants hold, facts suffice, everything settles once, and nothing is left', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const random = play(history)
      random.heal()
      expect(random.openTasks()).toEqual([])
      checkSettledOnce(random.mesh.facts)
      random.abandon()
      const { state } = random.mesh
      expect([...state.queue.values(), ...state.holderLines.values()]).toEqual([])
      const pinned = new Set(state.persisted.values())
      for (const { tasks, objects } of state.workers.values()) {
        expect(tasks.size).toBe(0)
        expect([...objects].filter((id) => !pinned.has(id.slice(0, id.lastIndexOf('/')) as never))).toEqual([])
      }
      expect([...state.objects.keys()]).toEqual([])
      expect(state.sessions.size).toBe(0)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300), plugins: [fc.interruptAfterTimeLimit(30_000)] },
  )
}, 600_000)

/** A settled task changes only by being reopened. */
function checkSettledOnce(facts: readonly Fact[]): void {
  const settled = new Set<string>()
  for (const fact of facts) {
    if (fact.kind === 'taskSettled') {
      const task = `${fact.jobId}/${fact.index}`
      expect(settled.has(task)).toBe(false)
      settled.add(task)
    } else if (fact.kind === 'taskReopened') {
      expect(settled.delete(`${fact.jobId}/${fact.index}`)).toBe(true)
    }
  }
}
