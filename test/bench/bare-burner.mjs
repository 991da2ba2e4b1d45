// A bare process for the same work as a worker's: it is told how many tasks of how many steps, and says when they are done.
import { burn } from './burn.mjs'

process.on('message', ({ tasks, steps }) => {
  let sum = 0
  for (let k = 0; k < tasks; k++) sum += burn(steps)
  process.send(sum)
})
