import { runChaos } from './chaos.js'
import { readSettings, UsageError } from './settings.js'

const exitCodes = { kept: 0, broken: 1, usage: 2 }
const shownComplaints = 20

/** Runs one storm and says whether every promise was kept. */
async function run(env: NodeJS.ProcessEnv): Promise<number> {
  const settings = readSettings(env)
  const { seed, kills, tasks } = settings
  print(`seed ${seed}: ${kills} kills of the scheduler in a job of ${tasks} tasks`)
  const { complaints, figures } = await runChaos(settings, print)
  for (const line of figures) print(line)
  if (complaints.length === 0) {
    print('every promise was kept')
    return exitCodes.kept
  }
  print(`${complaints.length} promises were broken (seed ${seed}):`)
  for (const complaint of complaints.slice(0, shownComplaints)) print(`  ${complaint}`)
  return exitCodes.broken
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

try {
  process.exitCode = await run(process.env)
} catch (error) {
  process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.broken
  process.stderr.write(`${error instanceof UsageError ? error.message : String((error as Error).stack)}\n`)
}
