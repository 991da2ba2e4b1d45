import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { listProblems, type SweepProblem } from '../../../libs/demos/main-job/problems.js'
import { solve } from '../../../libs/demos/main-job/tasks.js'
import { compare } from '../contest.js'
import { askDask, startCluster, workers } from '../contestants.js'
import type { Row } from '../row.js'
import { atLeastTimes } from '../target.js'

const count = 200
const program = fileURLToPath(new URL('../bare-sweep.mjs', import.meta.url))
const repeats = 7
/** Runs until V8 has compiled what the services do for them, as in a running cluster: it takes 2 % of the processors of the first ones. */
const warmUps = 3

/** The sweep of the main job on two workers, against two bare processes each of which solves every other problem. */
const sweep200: Row = {
  name: 'sweep-200',
  unit: 'problems/s',
  target: atLeastTimes(0.95, 'two bare processes'),
  measure: async (context) => {
    const problems = listProblems(count)
    context.say('cluster and bare processes start')
    await using cluster = await startCluster(context)
    const bare = Array.from({ length: workers }, () => fork(program, { execArgv: [] }))
    let objectives: readonly number[] = []
    const ours = async (): Promise<number> => {
      const startMs = context.nowMs()
      const futures = cluster.with({ seed: 1 }).map(solve, problems)
      const solutions = await cluster.gather(futures)
      const seconds = (context.nowMs() - startMs) / 1000
      objectives = solutions.map(({ objective }) => objective)
      futures[0]?.job.release()
      return count / seconds
    }
    const theirs = async (): Promise<number> => {
      const startMs = context.nowMs()
      const parts = await Promise.all(bare.map((child, nth) => askBare(child, problems, nth)))
      const seconds = (context.nowMs() - startMs) / 1000
      // The same guesses, so the same numbers to the last bit.
      const together = problems.map((_, index) => parts[index % workers]?.[Math.floor(index / workers)])
      assert.deepEqual(together, objectives)
      return count / seconds
    }
    try {
      const peer = { name: 'two bare processes', run: theirs }
      const contest = await compare({ warmUps, repeats, ours, theirs: peer }, context)
      // What Dask adds to problems of this length: its workers have no solver.
      const milliseconds = (1000 * workers) / (contest.theirs ?? contest.ours)
      const dask = await askDask(context, 'spins', { tasks: count, milliseconds })
      const rate = dask && `${(count / dask).toFixed(1)} problems/s`
      const note = rate && `Dask, as many tasks that spin for ${milliseconds.toFixed(0)} ms, a problem's mean: ${rate}`
      return { cases: [contest], ...(note && { note }) }
    } finally {
      for (const child of bare) child.disconnect()
    }
  },
}

/** Every so manyth problem from this one on, solved in the process. */
async function askBare(child: ChildProcess, problems: readonly SweepProblem[], first: number): Promise<number[]> {
  const indices = problems.flatMap((_, index) => (index % workers === first ? [index] : []))
  const answered = once(child, 'message') as Promise<[number[]]>
  child.send({ problems, indices })
  return (await answered)[0]
}

export const sweepRows: readonly Row[] = [sweep200]
