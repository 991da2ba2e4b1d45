import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createMemoryJournal } from '#libs/journal'

import { apply } from '../core/apply.js'
import type { Fact } from '../core/fact.js'
import { createState, type State } from '../core/state.js'
import { durablePartOf } from '../core/testing/durable.js'
import { RandomMesh } from '../core/testing/random-mesh.js'
import { factCodec } from './fact-codec.js'

const histories = fc.noBias(
  fc.array(fc.array(fc.nat(9_999), { minLength: 16, maxLength: 16 }), { minLength: 10, maxLength: 120, size: 'max' }),
)

/** What is read back of facts that were written; jobs of two tasks and more come in parts. */
const parts = { ...factCodec, split: splitSmall }

function readBack(facts: readonly Fact[]): Fact[] {
  return facts.flatMap((fact) => [...parts.split(fact)].map((part) => factCodec.decode(factCodec.encode(part))))
}

function* splitSmall(fact: Fact): Generator<Fact> {
  if (fact.kind !== 'jobSubmitted') {
    yield fact
    return
  }
  const { jobId, tasks } = fact.job
  yield { ...fact, job: { ...fact.job, tasks: tasks.slice(0, 1) } }
  if (tasks.length > 1) yield { kind: 'tasksAdded', jobId, tasks: tasks.slice(1) }
}

test('whatever happens: facts that were written and read back rebuild what is durable, also subject by subject', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      // After each event the mesh compares what the facts rebuild with what is.
      const random = new RandomMesh({ stored: readBack })
      for (const numbers of history) {
        let at = 0
        random.step((below) => (numbers[at++ % numbers.length] ?? 0) % Math.max(1, below))
      }
      const { facts, state } = random.mesh
      const journal = createMemoryJournal<Fact>({ retain: true, subjectOf: (fact) => factCodec.subjectOf(fact) })
      await journal.append(readBack(facts))
      const rebuilt = createState(state.policy)
      for await (const fact of journal.replay()) apply(rebuilt, fact)
      expect(comparable(rebuilt)).toEqual(comparable(state))
      expect([...rebuilt.jobs.keys()]).toEqual([...state.jobs.keys()])
    }),
    { numRuns: Number(process.env['RUNS'] ?? 100), plugins: [fc.interruptAfterTimeLimit(30_000)] },
  )
}, 600_000)

/** Between subjects there is no order, and the number of the next job only has to be above those that are known. */
function comparable(state: State): unknown {
  const part = durablePartOf(state) as Record<string, unknown>
  const byName = (entries: Iterable<readonly [string, unknown]>): unknown =>
    [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    ...part,
    jobsSubmitted: undefined,
    persisted: byName(state.persisted),
    jobsByRequest: byName(state.jobsByRequest),
    history: byName(state.history),
    objects: [...state.objects.keys()].sort(),
  }
}
