import fc from 'fast-check'
import { expect, test } from 'vitest'

import { readListing, squeueArgs } from './squeue.js'

const mesh = '0123456789'
const cell = (text: string): string => `${text}\u001f`
const titles = 'JOBID ARRAY_JOB_ID ARRAY_TASK_ID STATE REASON NODELIST EXIT_CODE RESTART_COUNT START_TIME NAME COMMENT'
const header = titles.split(' ').map(cell).join('')
const comment = `costate/1/${mesh}/cpu/k1`

function listing(...rows: readonly (readonly string[])[]) {
  const stdout = [header, ...rows.map((row) => row.map(cell).join(''))].map((line) => `${line}\n`).join('')
  return readListing({ exitCode: 0, stdout, stderr: '', timedOut: false }, mesh)
}

const row = (changes: Readonly<Record<string, string>> = {}): string[] =>
  Object.values<string>({
    ...{ id: '17', arrayId: '17', arrayTask: 'N/A', state: 'RUNNING', reason: 'None', node: 'node1', exit: '0' },
    ...{ restarts: '0', start: '1700000000', name: 'costate-x', comment },
    ...changes,
  })

test('all that is asked is one call, for one user, with fields that nothing can be confused with', () => {
  expect(squeueArgs(1_000)).toEqual([
    '--array',
    '--states=all',
    '--user=1000',
    expect.stringMatching(/^--Format=JobID:\u001f,ArrayJobID:\u001f,.*,Comment:\u001f$/) as string,
  ])
})

test('a job, a task of an array, and what SLURM says of their ends', () => {
  const jobs = [
    row(),
    row({
      id: '20',
      arrayId: '18',
      arrayTask: '2',
      state: 'PENDING',
      node: '',
      reason: 'Nodes required for job are DOWN, DRAINED',
    }),
    row({ id: '21', state: 'FAILED', exit: '768', restarts: '2' }),
    row({ id: '22', state: 'FAILED', exit: '9', reason: 'JobLaunchFailure' }),
  ]
  expect(listing(...jobs)).toEqual({
    kind: 'listed',
    isComplete: true,
    jobs: [
      expect.objectContaining({
        pool: 'cpu',
        key: 'k1',
        index: 0,
        jobId: '17',
        node: 'node1',
        startMs: 1_700_000_000_000,
      }),
      expect.objectContaining({ index: 2, jobId: '18_2', reason: 'Nodes required for job are DOWN, DRAINED' }),
      expect.objectContaining({ restarts: 2, exitCode: 3, signal: undefined }),
      expect.objectContaining({ exitCode: undefined, signal: 9 }),
    ],
  })
})

test('jobs of others are nobody of ours, whatever they are called', () => {
  const others = [
    row({ comment: 'costate/1/ffffffffff/cpu/k1' }),
    row({ comment: '', name: 'my job | with\u2028everything' }),
    row({ comment: `costate/1/${mesh}/cpu/k1; rm -rf` }),
  ]
  expect(listing(...others)).toEqual({ kind: 'listed', isComplete: true, jobs: [] })
})

test('where the site writes comments of its own, a job is known by its name', () => {
  const found = listing(row({ comment: 'billing:42', name: `costate-${mesh}-my-pool-k7` }))
  expect(found).toMatchObject({ jobs: [{ pool: 'my-pool', key: 'k7' }] })
})

test('an empty queue is a listing; nothing at all is none', () => {
  expect(listing()).toEqual({ kind: 'listed', isComplete: true, jobs: [] })
  const read = (stdout: string) => readListing({ exitCode: 0, stdout, stderr: '', timedOut: false }, mesh)
  for (const stdout of ['', '\n', 'slurm_load_jobs error', 'JOBID PARTITION NAME\n', header.slice(0, -20)]) {
    expect(read(stdout)).toMatchObject({ kind: 'failed', message: expect.stringContaining('no listing') as string })
  }
})

test('a failure is told with the words of SLURM', () => {
  const stderr = 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n'
  expect(readListing({ exitCode: 1, stdout: '', stderr, timedOut: false }, mesh)).toEqual({
    kind: 'failed',
    message: 'squeue: slurm_load_jobs error: Unable to contact slurm controller (connect failure)',
  })
  expect(readListing({ exitCode: undefined, stdout: header, stderr: '', timedOut: true }, mesh)).toEqual({
    kind: 'failed',
    message: 'squeue: it did not answer in time',
  })
})

test('a listing that was cut, or holds lines that are no rows, is not complete', () => {
  const stdout = `${header}\n${row().map(cell).join('')}\n17\u001f17`
  expect(readListing({ exitCode: 0, stdout, stderr: '', timedOut: false }, mesh)).toMatchObject({
    isComplete: false,
    jobs: [{ jobId: '17' }],
  })
  expect(listing(row(), ['garbage'], row({ id: 'x' }))).toMatchObject({ isComplete: false, jobs: [{ jobId: '17' }] })
})

test('whatever squeue writes, reading it never throws, and what has no header is never an empty queue', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (stdout) => {
      expect(readListing({ exitCode: 0, stdout, stderr: '', timedOut: false }, mesh).kind).toBe('failed')
      const kind = readListing({ exitCode: 0, stdout: `${header}\n${stdout}`, stderr: '', timedOut: false }, mesh).kind
      expect(kind).toBe('listed')
    }),
  )
})

test('ten thousand jobs of the same user are read in a moment, and ours found among them', () => {
  const others = Array.from({ length: 10_000 }, (_, index) => row({ id: String(index + 100), comment: 'other' }))
  expect(listing(...others, row())).toMatchObject({ isComplete: true, jobs: [{ jobId: '17' }] })
})
