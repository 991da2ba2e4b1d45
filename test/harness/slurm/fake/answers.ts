import { arrayIndicesOf, directivesOf, type FakeJob, type FakeJobs } from './fake-jobs.js'

/** What a command says and ends with. */
export interface Answer {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

/** What was asked of SLURM. */
export interface Asked {
  readonly command: string
  readonly args: readonly string[]
  /** The script, for sbatch. */
  readonly stdin: string
}

const none = 'N/A'
/** Of every job. */
const timeLimitS = 3_600

/** The columns of squeue that the fake has: header and value. */
const columns: Readonly<Record<string, readonly [header: string, value: (job: FakeJob) => string | number]>> = {
  JobID: ['JOBID', (job) => job.arrayId + (job.task ?? 0)],
  ArrayJobID: ['ARRAY_JOB_ID', (job) => job.arrayId],
  JobArrayID: ['JOBID', (job) => job.id],
  ArrayTaskID: ['ARRAY_TASK_ID', (job) => job.task ?? none],
  State: ['STATE', (job) => job.state],
  Reason: ['REASON', (job) => job.reason],
  NodeList: ['NODELIST', (job) => job.node],
  exit_code: ['EXIT_CODE', (job) => job.exitStatus],
  RestartCnt: ['RESTART_COUNT', (job) => job.restarts],
  StartTime: ['START_TIME', (job) => job.startedAtS ?? none],
  EndTime: ['END_TIME', (job) => job.endedAtS ?? (job.startedAtS === undefined ? none : job.startedAtS + timeLimitS)],
  SubmitTime: ['SUBMIT_TIME', (job) => job.submittedAtS],
  Name: ['NAME', (job) => job.name],
  Comment: ['COMMENT', (job) => (job.comment === '' ? '(null)' : job.comment)],
}

/** What SLURM would say, once it does what it was asked for. */
export function answer(asked: Asked, jobs: FakeJobs, version: string): Answer {
  const { command, args } = asked
  if (args.includes('--version')) return said(`slurm-wlm ${version}\n`)
  if (command === 'sbatch') return submit(asked, jobs)
  if (command === 'squeue') return said(listing(args, jobs))
  if (command === 'scancel') {
    jobs.cancel(args.filter((word) => !word.startsWith('-')))
    return said('')
  }
  if (command === 'sacct') return { stdout: '', stderr: 'Slurm accounting storage is disabled\n', code: 1 }
  return { stdout: '', stderr: `${command}: error: the fake cannot do this\n`, code: 1 }
}

function submit({ args, stdin }: Asked, jobs: FakeJobs): Answer {
  if (!stdin.startsWith('#!')) {
    const stderr = [
      'This does not look like a batch script.  The first',
      'line must start with #! followed by the path to an interpreter.',
    ]
    return { stdout: '', stderr: stderr.map((line) => `sbatch: error: ${line}\n`).join(''), code: 1 }
  }
  if (args.includes('--test-only')) {
    const stderr = `sbatch: Job ${jobs.nextNumber} to start at 2026-01-01T12:00:00 using 1 processors on nodes node1 in partition compute\n`
    return { stdout: '', stderr, code: 0 }
  }
  const array = optionOf(args, 'array') ?? directivesOf(stdin).get('array')
  const [job] = jobs.submit(stdin, array === undefined ? [] : arrayIndicesOf(array), ownUid())
  const text = args.includes('--parsable') ? `${job!.arrayId}` : `Submitted batch job ${job!.arrayId}`
  return said(`${text}\n`)
}

function listing(args: readonly string[], jobs: FakeJobs): string {
  const format = optionOf(args, 'Format') ?? optionOf(args, 'O')
  if (format === undefined) throw new Error(`the fake squeue needs --Format, and was asked with ${args.join(' ')}`)
  const user = optionOf(args, 'user')
  const fields = format.split(',').map((field) => {
    const [, name = '', separator = ''] = /^([A-Za-z_]+):(.*)$/s.exec(field) ?? []
    const column = columns[name]
    if (column === undefined) throw new Error(`the fake squeue has no column '${name}'`)
    return { header: column[0], value: column[1], separator }
  })
  const rows = jobs.all.filter(({ uid }) => user === undefined || user === String(uid))
  const header = fields.map((field) => `${field.header}${field.separator}`).join('')
  const lines = rows.map((job) => fields.map(({ value, separator }) => `${value(job)}${separator}`).join(''))
  const withHeader = args.includes('--noheader') || args.includes('-h') ? lines : [header, ...lines]
  return withHeader.map((line) => `${line}\n`).join('')
}

function optionOf(args: readonly string[], name: string): string | undefined {
  const start = `--${name}=`
  return args.find((word) => word.startsWith(start))?.slice(start.length)
}

/** Whose the jobs are that the test submits. */
export function ownUid(): number {
  return process.getuid?.() ?? 0
}

function said(stdout: string): Answer {
  return { stdout, stderr: '', code: 0 }
}
