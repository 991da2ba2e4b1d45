import type { Refusal } from '../core/event.js'
import { ConfigError } from '#libs/config'
import { complaintOf, type CommandResult, type RunCommand } from './command.js'
import { isUnclear, refusalOf } from './refusals.js'

/** What became of a submit. */
export type SubmitResult =
  | { readonly kind: 'accepted'; readonly jobId: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The job may be there or not. */
  | { readonly kind: 'unclear'; readonly message: string }

/** What SLURM says that it would do with a script. */
export interface TrialResult {
  readonly accepted: boolean
  /** SLURM's words: where and when the job would start, or why not. */
  readonly message: string
  readonly advice: string
}

/** Submits a script, which sbatch reads from its standard input: nothing of it is in an argument. */
export async function submitScript(run: RunCommand, script: string): Promise<SubmitResult> {
  return readSubmit(await run('sbatch', ['--parsable'], script))
}

export function readSubmit(result: CommandResult): SubmitResult {
  const { exitCode, stdout } = result
  if (exitCode === 0) {
    const [, jobId] = /^(\d+)(?:;\S+)?\s*$/m.exec(stdout.trim()) ?? []
    if (jobId !== undefined) return { kind: 'accepted', jobId }
    return { kind: 'unclear', message: `sbatch wrote no job id but ${JSON.stringify(stdout.slice(0, 80))}` }
  }
  const message = complaintOf(result)
  if (exitCode === undefined || result.stderr.trim() === '' || isUnclear(message)) return { kind: 'unclear', message }
  return { kind: 'refused', refusal: refusalOf(message) }
}

/** Asks SLURM what it would do with a script, without submitting it. */
export async function tryScript(run: RunCommand, script: string): Promise<TrialResult> {
  const result = await run('sbatch', ['--test-only'], script)
  // The commands tell times as seconds, for programs.
  const message = complaintOf(result).replace(/\bstart at (\d{9,11})\b/, (_, seconds: string) => {
    return `start at ${new Date(Number(seconds) * 1000).toISOString()}`
  })
  if (result.exitCode === 0) return { accepted: true, message, advice: '' }
  return { accepted: false, message, advice: refusalOf(message).advice }
}

/** Names by suffix what squeue prints of a job. */
const leastVersion = [20, 11] as const

/**
 * Which SLURM this is.
 *
 * @throws ConfigError when sbatch is not on PATH, does not say its version, or is older than 20.11.
 */
export async function checkVersion(run: RunCommand): Promise<string> {
  const result = await run('sbatch', ['--version'])
  const [version, major = '', minor = ''] = /(\d+)\.(\d+)(?:\.\S+)?/.exec(result.stdout) ?? []
  if (result.exitCode !== 0 || version === undefined) {
    throw new ConfigError(`sbatch --version failed: ${complaintOf(result)}`)
  }
  const isOld =
    Number(major) < leastVersion[0] || (Number(major) === leastVersion[0] && Number(minor) < leastVersion[1])
  if (isOld) throw new ConfigError(`SLURM is ${version} here; ${leastVersion.join('.')} or newer is needed`)
  return version
}
