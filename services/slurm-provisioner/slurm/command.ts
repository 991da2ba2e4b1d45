import { execFile } from 'node:child_process'

/** How a command of SLURM ended. */
export interface CommandResult {
  /** Nothing when a signal ended it, or the time was over. */
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
  /** It was ended here, because it took too long. */
  readonly timedOut: boolean
}

/** Runs a command of SLURM by its name, with arguments and what it reads; no shell in between. Serves one after the other. */
export type RunCommand = (name: string, args: readonly string[], input?: string) => Promise<CommandResult>

/** There is no such command on this machine. */
export class CommandMissingError extends Error {
  override readonly name = 'ConfigError'
}

export interface CommandOptions {
  readonly timeoutMs: number
  readonly env: NodeJS.ProcessEnv
}

/** A listing of 10,000 jobs has 2 MB. */
const mostOutputBytes = 64 * 2 ** 20
const endSignal = 'SIGKILL'

/**
 * Commands found on PATH, one at a time, so that the controller never has more than one request of ours. Of the environment they
 * see no variable by which sbatch, or a job in which we run, would change what is submitted; times come as seconds of the epoch.
 */
export function createCommandRunner({ timeoutMs, env }: CommandOptions): RunCommand {
  const cleanEnv = slurmEnv(env)
  let line: Promise<unknown> = Promise.resolve()
  return (name, args, input) => {
    const result = line.then(() => run(name, args, input, { timeoutMs, env: cleanEnv }))
    line = result.catch(() => undefined)
    return result
  }
}

/** What of an environment the commands see. */
export function slurmEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => name === 'SLURM_CONF' || !/^(?:SBATCH|SLURM|SQUEUE|SCANCEL|SACCT|SINFO)_/.test(name),
  )
  return { ...Object.fromEntries(kept), SLURM_TIME_FORMAT: '%s', LC_ALL: 'C' }
}

function run(
  name: string,
  args: readonly string[],
  input: string | undefined,
  { timeoutMs, env }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const options = { env, timeout: timeoutMs, killSignal: endSignal, maxBuffer: mostOutputBytes } as const
    const child = execFile(name, args, options, (error, stdout, stderr) => {
      if (error === null) {
        resolve({ exitCode: 0, stdout, stderr, timedOut: false })
      } else if (error.code === 'ENOENT') {
        reject(new CommandMissingError(missingText(name, env['PATH']), { cause: error }))
      } else {
        const exitCode = typeof error.code === 'number' ? error.code : undefined
        resolve({ exitCode, stdout, stderr, timedOut: error.killed === true && error.signal === endSignal })
      }
    })
    // A command that does not read its script ends by itself, and says why.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input ?? '')
  })
}

function missingText(name: string, path = ''): string {
  return (
    `${name} is not on PATH (${path}): run this where SLURM's commands are, mostly a login node, ` +
    'perhaps after `module load slurm`'
  )
}

/** What a command wrote last to standard error, for people: one line, without its own name. */
export function complaintOf({ stderr, stdout, timedOut, exitCode }: CommandResult): string {
  if (timedOut) return 'it did not answer in time'
  const text = stderr.trim() || stdout.trim()
  if (text === '') return exitCode === undefined ? 'it was killed' : `it ended with code ${exitCode} and said nothing`
  return text
    .split('\n')
    .map((line) => line.replace(/^\w+: (?:error: |fatal: )?/, '').trim())
    .filter((line) => line !== '')
    .slice(-3)
    .join('; ')
    .slice(0, 500)
}
