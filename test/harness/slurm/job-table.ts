/** A job, or a task of an array, as squeue shows it. */
export interface JobRow {
  /** As people write it: `12`, or `12_3` for a task of an array. */
  readonly id: string
  /** The number that the job itself knows, as SLURM_JOB_ID: a task of an array has one of its own. */
  readonly number: string
  /** The array's id, or the job's own. */
  readonly arrayId: string
  /** PENDING, RUNNING, COMPLETING, COMPLETED, CANCELLED, FAILED, TIMEOUT, NODE_FAIL, … */
  readonly state: string
  /** SLURM's word for why it waits, or how it ended. */
  readonly reason: string
  /** Where it runs; empty while it does not. */
  readonly node: string
  readonly name: string
  readonly comment: string
  /** How often it was queued again. */
  readonly restarts: number
}

// Lengths, so that nothing is cut off; the separator is what no name or reason has.
const fields = [
  'JobArrayID',
  'JobID',
  'ArrayJobID',
  'State',
  'Reason',
  'NodeList',
  'Name',
  'Comment',
  'RestartCnt',
] as const
const separator = '\u001f'

/** Every job of the controller, one line each. */
export const queueArgs: readonly string[] = [
  '--noheader',
  '--array',
  '--states=all',
  `--Format=${fields.map((field) => `${field}:${separator}`).join(',')}`,
]

export function parseJobs(text: string): JobRow[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [
        id = '',
        number = '',
        arrayId = '',
        state = '',
        reason = '',
        node = '',
        name = '',
        comment = '',
        restarts = '',
      ] = line.split(separator).map((word) => word.trim())
      return { id, number, arrayId, state, reason, node, name, comment, restarts: Number(restarts) }
    })
}

/** Whether a job holds a node, or may still get one. */
export function isAlive({ state }: Pick<JobRow, 'state'>): boolean {
  return ['PENDING', 'CONFIGURING', 'RUNNING', 'COMPLETING', 'SUSPENDED', 'REQUEUED'].includes(state)
}
