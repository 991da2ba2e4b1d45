import { readFlags } from './flags.js'
import { runMainJob } from './main-job.js'

try {
  const outcome = await runMainJob(readFlags(process.argv))
  process.exitCode = { right: 0, wrong: 1, interrupted: 130 }[outcome]
} catch (error) {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`the main job failed: ${reason}\n`)
  process.exitCode = 1
}
