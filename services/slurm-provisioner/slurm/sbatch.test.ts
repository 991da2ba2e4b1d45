import { expect, test } from 'vitest'

import type { CommandResult } from './command.js'
import { checkVersion, readSubmit, submitScript, tryScript } from './sbatch.js'

const ended = (exitCode: number | undefined, stderr: string, stdout = ''): CommandResult => ({
  ...{ exitCode, stderr, stdout, timedOut: false },
})
const failed = (text: string): string => `sbatch: error: Batch job submission failed: ${text}\n`

test.each([
  ['17\n', '17'],
  ['17;cluster2\n', '17'],
])('%j is an accepted job', (stdout, jobId) => {
  expect(readSubmit(ended(0, '', stdout))).toEqual({ kind: 'accepted', jobId })
})

test('a warning beside the id changes nothing', () => {
  expect(readSubmit(ended(0, "sbatch: warning: can't honor --ntasks-per-node\n", '5\n'))).toMatchObject({ jobId: '5' })
})

// The exact texts of SLURM 22.05.
test.each([
  [
    1,
    `sbatch: error: invalid partition specified: nope\n${failed('Invalid partition name specified')}`,
    'invalidPartition',
  ],
  [1, failed('Requested time limit is invalid (missing or exceeds some limit)'), 'timeLimit'],
  [
    1,
    `sbatch: error: Memory specification can not be satisfied\n${failed('Requested node configuration is not available')}`,
    'memory',
  ],
  [
    1,
    `sbatch: error: CPU count per node can not be satisfied\n${failed('Requested node configuration is not available')}`,
    'cpus',
  ],
  [1, failed('Requested node configuration is not available'), 'nodeConfiguration'],
  [1, 'sbatch: error: Invalid generic resource (gres) specification\n', 'gres'],
  [1, failed('More processors requested than permitted'), 'cpus'],
  [1, failed('Node count specification invalid'), 'nodeConfiguration'],
  [1, failed('Invalid node name specified'), 'nodeConfiguration'],
  [1, failed('Invalid feature specification'), 'constraint'],
  [1, failed('Requested reservation is invalid'), 'reservation'],
  [1, failed('Invalid license specification'), 'licenses'],
  [1, failed('Invalid job array specification'), 'arraySize'],
  [1, failed('Job dependency problem'), 'dependency'],
  [1, failed('Invalid qos specification'), 'qos'],
  [1, failed('Invalid account or account/partition combination specified'), 'account'],
  [
    1,
    `sbatch: error: QOSMaxWallDurationPerJobLimit\n${failed("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)")}`,
    'timeLimit',
  ],
  [
    1,
    `sbatch: error: QOSMaxCpuPerJobLimit\n${failed("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)")}`,
    'policyLimit',
  ],
  [255, 'sbatch: error: Invalid --time specification\n', 'badOption'],
  [255, 'sbatch: unrecognized option \'--badopt\'\nTry "sbatch --help" for more information\n', 'badOption'],
  [1, 'sbatch: error: Batch script contains DOS line breaks (\\r\\n)\n', 'badScript'],
  [1, 'sbatch: fatal: Could not establish a configuration source\n', 'noConfiguration'],
  [1, failed('The moon is full'), 'other'],
])('code %i and %j is a refusal: %s', (code, stderr, kind) => {
  const result = readSubmit(ended(code, stderr))
  expect(result).toMatchObject({ kind: 'refused', refusal: { kind, isTransient: false } })
  const { refusal } = result as Extract<typeof result, { kind: 'refused' }>
  expect(refusal.advice).not.toBe('')
  expect(refusal.message).not.toMatch(/sbatch:/)
})

test.each([
  [
    `sbatch: error: QOSMaxSubmitJobPerUserLimit\n${failed("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)")}`,
    'jobLimit',
  ],
  [failed('Unable to contact slurm controller (connect failure)'), 'controllerDown'],
  [
    `sbatch: error: Munge encode failed: Failed to connect to "/run/munge.sock": Connection refused\n${failed('Protocol authentication error')}`,
    'authentication',
  ],
  [failed('Slurm temporarily unable to accept job, sleeping and retrying'), 'busy'],
])('%j lifts by itself', (stderr, kind) => {
  expect(readSubmit(ended(1, stderr))).toMatchObject({ kind: 'refused', refusal: { kind, isTransient: true } })
})

test.each([
  ['a time-out of the controller', ended(1, failed('Socket timed out on send/recv operation'))],
  ['a kill', ended(undefined, '')],
  ['a time-out here', { ...ended(undefined, ''), timedOut: true }],
  ['no id', ended(0, '', 'Submitted, thank you\n')],
  ['silence', ended(1, '')],
  ['half an answer', ended(1, failed('Zero Bytes were transmitted or received'))],
])('%s leaves open whether the job is there', (_what, result) => {
  expect(readSubmit(result).kind).toBe('unclear')
})

test('the script goes in by standard input, and nothing of it by an argument', async () => {
  const calls: unknown[] = []
  const run = async (...call: unknown[]): Promise<CommandResult> => {
    calls.push(call)
    return ended(0, '', '3\n')
  }
  await submitScript(run, '#!/bin/bash\n')
  await tryScript(run, '#!/bin/bash\n')
  expect(calls).toEqual([
    ['sbatch', ['--parsable'], '#!/bin/bash\n'],
    ['sbatch', ['--test-only'], '#!/bin/bash\n'],
  ])
})

test('the start that a trial tells is a time that people read', async () => {
  const { message } = await tryScript(
    async () => ended(0, 'sbatch: Job 26 to start at 1796022174 using 1 processors\n'),
    '',
  )
  expect(message).toBe('Job 26 to start at 2026-11-30T07:02:54.000Z using 1 processors')
})

test('a trial is told in the words of SLURM, a refusal with advice', async () => {
  const start = 'sbatch: Job 5 to start at 2026-11-30T06:10:30 using 1 processors on nodes node1 in partition compute\n'
  expect(await tryScript(async () => ended(0, start), '')).toEqual({
    ...{ accepted: true, message: start.slice('sbatch: '.length).trim(), advice: '' },
  })
  const refused =
    'sbatch: error: invalid partition specified: nope\nallocation failure: Invalid partition name specified\n'
  expect(await tryScript(async () => ended(1, refused), '')).toMatchObject({
    accepted: false,
    advice: expect.stringContaining('sinfo') as string,
  })
})

test.each(['slurm-wlm 22.05.8', 'slurm 20.11.9', 'slurm 23.02.1-1'])('%s is new enough', async (stdout) => {
  expect(await checkVersion(async () => ended(0, '', stdout))).toMatch(/^\d/)
})

test.each(['slurm 18.08.4', 'slurm 20.02.7', 'PBS'])('%s is refused', async (stdout) => {
  await expect(checkVersion(async () => ended(0, '', stdout))).rejects.toMatchObject({ name: 'ConfigError' })
})
