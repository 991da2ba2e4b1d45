import { readFlags } from './flags.js'
import { runMainJob } from './main-job.js'

try {
  const isGood = await runMainJob(readFlags(process.argv))
  process.exitCode = isGood ? 0 : 1
} catch (error) {
  process.stderr.write(
    `the main job failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exitCode = 1
}
