import { complaintOf, type RunCommand } from './command.js'

/** Cancels jobs. What SLURM does not know, or has ended, is no failure; the next look at the queue shows what is left. */
export async function cancelJobs(run: RunCommand, jobIds: readonly string[]): Promise<string | undefined> {
  const result = await run('scancel', jobIds)
  return result.exitCode === 0 ? undefined : complaintOf(result)
}
