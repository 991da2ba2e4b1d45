import type { QueuedJob } from '../core/event.js'
import { type CommandResult, complaintOf, type RunCommand } from './command.js'
import { readTag } from './tag.js'

/** A byte that is in no field: jobs of others have names and comments with anything in them. */
const separator = '\u001f'

/** What is asked of each job: squeue's word, and the title that it writes over the column. */
const fields = [
  ['JobID', 'JOBID'],
  ['ArrayJobID', 'ARRAY_JOB_ID'],
  ['ArrayTaskID', 'ARRAY_TASK_ID'],
  ['State', 'STATE'],
  ['Reason', 'REASON'],
  ['NodeList', 'NODELIST'],
  ['exit_code', 'EXIT_CODE'],
  ['RestartCnt', 'RESTART_COUNT'],
  ['StartTime', 'START_TIME'],
  ['Name', 'NAME'],
  ['Comment', 'COMMENT'],
] as const

const header = fields.map(([, title]) => title + separator).join('')

export const squeueArgs = (userId: number): string[] => [
  '--array',
  '--states=all',
  `--user=${userId}`,
  `--Format=${fields.map(([word]) => `${word}:${separator}`).join(',')}`,
]

/** What a look at the queue showed. */
export type QueueListing =
  | { readonly kind: 'listed'; readonly isComplete: boolean; readonly jobs: readonly QueuedJob[] }
  /** Nothing may be concluded from it. */
  | { readonly kind: 'failed'; readonly message: string }

/** One look at all jobs of this user, of which those of the mesh are kept. */
export async function lookAtQueue(run: RunCommand, userId: number, mesh: string): Promise<QueueListing> {
  return readListing(await run('squeue', squeueArgs(userId)), mesh)
}

/**
 * Reads what squeue wrote. A listing begins with its titles, also when it is empty: without them it is none. A line that is no
 * row (a comment with a line break in it, half an answer) is passed over, and the listing is not complete.
 */
export function readListing(result: CommandResult, mesh: string): QueueListing {
  if (result.exitCode !== 0) return { kind: 'failed', message: `squeue: ${complaintOf(result)}` }
  const [titles, ...lines] = result.stdout.split('\n')
  if (titles?.trimEnd() !== header) {
    const shown = JSON.stringify((titles ?? '').slice(0, 80))
    return { kind: 'failed', message: `squeue wrote what is no listing: ${shown}` }
  }
  let isComplete = result.stdout.endsWith('\n')
  const jobs: QueuedJob[] = []
  for (const line of lines) {
    if (line === '') continue
    const job = readRow(line, mesh)
    if (job === 'malformed') isComplete = false
    else if (job !== undefined) jobs.push(job)
  }
  return { kind: 'listed', isComplete, jobs }
}

function readRow(line: string, mesh: string): QueuedJob | 'malformed' | undefined {
  const cells = line.split(separator)
  if (cells.length !== fields.length + 1 || cells.at(-1)?.trim() !== '') return 'malformed'
  const [jobId = '', arrayJobId = '', arrayTaskId = '', state = '', reason = '', node = ''] = cells
  const [, , , , , , exitText = '', restarts = '', start = '', name = '', comment = ''] = cells
  const tag = readTag(comment, name)
  if (tag?.mesh !== mesh) return undefined
  const isArray = /^\d+$/.test(arrayTaskId)
  const isElement = isArray || arrayTaskId === 'N/A' || arrayTaskId === ''
  if (!/^\d+$/.test(jobId) || !/^[A-Z_]+$/.test(state) || !isElement) return 'malformed'
  return {
    pool: tag.pool,
    key: tag.key,
    index: isArray ? Number(arrayTaskId) : 0,
    jobId: isArray ? `${arrayJobId}_${arrayTaskId}` : jobId,
    state,
    reason,
    node: node === '(null)' ? '' : node,
    restarts: Number(restarts) || 0,
    ...exitOf(exitText),
    startMs: /^\d+$/.test(start) ? Number(start) * 1000 : undefined,
  }
}

/** What wait() would say: squeue writes it as one number. */
function exitOf(text: string): Pick<QueuedJob, 'exitCode' | 'signal'> {
  if (!/^\d+$/.test(text)) return { exitCode: undefined, signal: undefined }
  const status = Number(text)
  const signal = status & 0x7f
  return signal === 0 ? { exitCode: status >> 8, signal: undefined } : { exitCode: undefined, signal }
}
