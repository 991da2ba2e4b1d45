import type { CommandResult, RunCommand } from '../slurm/command.js'
import { CommandMissingError } from '../slurm/command.js'

/** A job of the lab. */
export interface LabJob {
  readonly id: string
  readonly arrayId: string
  readonly index: number | undefined
  readonly name: string
  readonly comment: string
  state: string
}

/** What is wrong with the commands. */
export interface Fault {
  readonly missing?: boolean
  readonly version?: string
}

/** SLURM's commands as functions: they answer as the real ones do, and remember what they were asked. */
export interface CommandLab {
  readonly run: RunCommand
  readonly calls: { readonly name: string; readonly args: readonly string[] }[]
  readonly scripts: string[]
  readonly jobs: LabJob[]
  fault(fault: Fault): void
}

const ok = (stdout: string): CommandResult => ({ exitCode: 0, stdout, stderr: '', timedOut: false })

export function commandLab(): CommandLab {
  const jobs: LabJob[] = []
  const scripts: string[] = []
  const calls: { readonly name: string; readonly args: readonly string[] }[] = []
  let broken: Fault = {}
  let nextId = 1

  function submit(script: string): CommandResult {
    scripts.push(script)
    const option = (name: string): string => new RegExp(`^#SBATCH --${name}=(.*)$`, 'm').exec(script)?.[1] ?? ''
    const [, last] = /^0-(\d+)$/.exec(option('array')) ?? []
    const count = last === undefined ? 1 : Number(last) + 1
    const arrayId = String(nextId)
    nextId += count
    for (let index = 0; index < count; index++) {
      const id = String(Number(arrayId) + index)
      const place = last === undefined ? undefined : index
      jobs.push({ id, arrayId, index: place, name: option('job-name'), comment: option('comment'), state: 'PENDING' })
    }
    return ok(`${arrayId}\n`)
  }

  function list(): CommandResult {
    const titles =
      'JOBID,ARRAY_JOB_ID,ARRAY_TASK_ID,STATE,REASON,NODELIST,EXIT_CODE,RESTART_COUNT,START_TIME,NAME,COMMENT'
    const row = (cells: readonly string[]): string => cells.map((cell) => `${cell}\u001f`).join('')
    const rows = jobs.map(({ id, arrayId, index, state, name, comment }) =>
      row([
        id,
        arrayId,
        index === undefined ? 'N/A' : String(index),
        state,
        'Priority',
        '',
        '0',
        '0',
        'N/A',
        name,
        comment,
      ]),
    )
    return ok([row(titles.split(',')), ...rows].map((line) => `${line}\n`).join(''))
  }

  function cancel(ids: readonly string[]): CommandResult {
    for (const job of jobs) {
      const id = job.index === undefined ? job.id : `${job.arrayId}_${job.index}`
      if (ids.includes(id)) job.state = 'CANCELLED'
    }
    return ok('')
  }

  return {
    ...{ calls, jobs, scripts },
    fault: (fault) => (broken = fault),
    run: async (name, args, input = '') => {
      if (broken.missing) throw new CommandMissingError(`${name} is not on PATH`)
      calls.push({ name, args })
      if (args.includes('--version')) return ok(`${broken.version ?? 'slurm-wlm 22.05.8'}\n`)
      if (args.includes('--test-only')) {
        const stderr = 'sbatch: Job 1 to start at 2026-11-30T06:00:00\n'
        return { ...ok(''), stderr }
      }
      if (name === 'sbatch') return submit(input)
      return name === 'squeue' ? list() : cancel(args)
    },
  }
}
