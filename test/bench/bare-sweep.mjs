// A bare process that solves problems of the main job's sweep, one after the other: no mesh, nothing between them.
import { createInlineContext } from 'costate'

import { solve } from '../../dist/libs/demos/main-job/tasks.js'

process.on('message', async ({ problems, indices }) => {
  const objectives = []
  for (const index of indices) {
    const ctx = createInlineContext({ taskId: `bare/${index}`, jobId: 'bare', taskIndex: index, seed: 1 })
    const { objective } = await solve(problems[index], ctx)
    objectives.push(objective)
  }
  process.send(objectives)
})
