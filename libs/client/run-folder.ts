import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'

const keptRuns = 20

/** Makes the run folder of a cluster (traces, logs), and forgets the oldest of those that were made by default. */
export async function createRunDir(runDir: string | undefined, name: string): Promise<string> {
  if (runDir !== undefined) {
    await mkdir(path.join(runDir, 'logs'), { recursive: true })
    return path.resolve(runDir)
  }
  const runs = path.resolve('.costate', 'runs')
  const made = path.join(runs, `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${name}`)
  await mkdir(path.join(made, 'logs'), { recursive: true })
  const mine = (await readdir(runs)).filter((entry) => /^\d{8}T\d{6}Z-local-/.test(entry)).sort()
  for (const old of mine.slice(0, -keptRuns)) await rm(path.join(runs, old), { recursive: true, force: true })
  return made
}
