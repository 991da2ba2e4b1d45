import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'

import { runToEnd } from '../harness/program.js'
import { FakeSlurm } from '../harness/slurm/fake/fake-slurm.js'
import { queueFailures, refusals } from '../harness/slurm/fake/refusals.js'
import { startSlurmLab } from '../harness/slurm/slurm-lab.js'

const separator = '\u001f'
const columns = ['JobID', 'ArrayJobID', 'ArrayTaskID', 'State', 'Reason', 'NodeList', 'exit_code', 'RestartCnt']
const times = ['StartTime', 'EndTime', 'SubmitTime', 'Name', 'Comment']
const format = [...columns, ...times].map((name) => `${name}:${separator}`).join(',')
const script = '#!/bin/sh\n#SBATCH --job-name=mine\n#SBATCH --comment=a/b\nexec sleep 600\n'

let fake: FakeSlurm

beforeEach(async () => {
  fake = await FakeSlurm.start()
})

afterEach(async () => {
  await fake[Symbol.asyncDispose]()
})

/** Runs a command with the script on its standard input, as whoever submits does. */
async function ask(env: Readonly<Record<string, string>>, command: string, ...args: readonly string[]) {
  const words = ['-c', 'printf "%s" "$SCRIPT" | "$0" "$@"', command, ...args]
  return await runToEnd('/bin/sh', words, { env: { ...env, SCRIPT: script, SLURM_TIME_FORMAT: '%s' } })
}

async function rows(env: Readonly<Record<string, string>>): Promise<string[][]> {
  const { stdout } = await ask(env, 'squeue', '--array', '--states=all', `--Format=${format}`)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(separator))
}

test('jobs and arrays get numbers, are listed, are cancelled, and each call is heard', async () => {
  const heard = fake.nextCall('sbatch')
  expect(await ask(fake.env, 'sbatch', '--parsable')).toMatchObject({ code: 0, stdout: '1\n' })
  expect((await heard).stdin).toBe(script)
  expect(await ask(fake.env, 'sbatch', '--parsable', '--array=0-2')).toMatchObject({ stdout: '2\n' })
  fake.jobs.start('2_1', 'node3')
  const [header, ...listed] = await rows(fake.env)
  expect(header!.slice(0, 3)).toEqual(['JOBID', 'ARRAY_JOB_ID', 'ARRAY_TASK_ID'])
  expect(listed.map(([, array, task, state]) => [array, task, state])).toEqual([
    ['1', 'N/A', 'PENDING'],
    ['2', '0', 'PENDING'],
    ['2', '1', 'RUNNING'],
    ['2', '2', 'PENDING'],
  ])
  expect(await ask(fake.env, 'scancel', '2', '999')).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(fake.jobs.all.map(({ state }) => state)).toEqual(['PENDING', 'CANCELLED', 'CANCELLED', 'CANCELLED'])
})

test('what goes wrong goes wrong as often as it was told to, with or without its effect', async () => {
  fake.fail('sbatch', { kind: 'refuse', refusal: refusals.tooManyJobs }, 1)
  expect(await ask(fake.env, 'sbatch')).toMatchObject({ code: 1, stderr: refusals.tooManyJobs.stderr })
  fake.fail('sbatch', { kind: 'failThoughDone', refusal: refusals.timedOut }, 1)
  expect(await ask(fake.env, 'sbatch')).toMatchObject({ code: 1, stderr: refusals.timedOut.stderr })
  expect(fake.jobs.all.length).toBe(1)
  fake.fail('squeue', { kind: 'refuse', refusal: queueFailures.unreachable })
  expect(await ask(fake.env, 'squeue')).toMatchObject({ code: 1, stdout: '' })
  fake.heal('squeue')
  fake.fail('squeue', { kind: 'garbage', stdout: '\u0000nothing of the kind' }, 1)
  expect((await ask(fake.env, 'squeue', `--Format=${format}`)).stdout).toBe('\u0000nothing of the kind')
})

test('a controller that lost its state forgets a job and hands its number out again', async () => {
  await ask(fake.env, 'sbatch')
  fake.jobs.forget('1')
  fake.jobs.nextNumber = 1
  fake.jobs.addForeign(1, 12_345)
  const [, ...listed] = await rows(fake.env)
  expect(listed.map((row) => [row[0], row[11]])).toEqual([['1', 'foreign']])
})

describe.skipIf(inject('slurmMissing') !== '')('beside a real SLURM', () => {
  test('the fake lists jobs as the real one does', async () => {
    await using lab = await startSlurmLab({ nodes: 1, cpusPerNode: 1 })
    for (const env of [lab.env, fake.env]) {
      // The first one takes the only processor: the others wait.
      await ask(env, 'sbatch', '--parsable')
      await ask(env, 'sbatch', '--parsable', '--array=0-1')
    }
    fake.jobs.start('1')
    const state = async (): Promise<string | undefined> => (await rows(lab.env)).find((row) => row[1] === '1')?.[3]
    await expect.poll(state, { timeout: 60_000 }).toBe('RUNNING')
    await expect.poll(async () => (await rows(lab.env)).length, { timeout: 60_000 }).toBe(4)
    const [real, ours] = [await rows(lab.env), await rows(fake.env)]
    const word = (text: string): string => text.trim()
    expect(ours[0]).toEqual(real[0]!.map(word))
    // The kind of each value: a number, a word, or that there is none.
    const kind = (text: string): string => (/^\d+$/.test(word(text)) ? 'number' : word(text))
    const byTask = (row: readonly string[]): string => `${row[1]} ${row[2]}`
    const comparable = (table: readonly string[][]): string[][] =>
      table
        .slice(1)
        .sort((a, b) => byTask(a).localeCompare(byTask(b)))
        .map((row) => [...row.slice(1, 4).map(word), ...row.slice(5).map(kind)])
    const [first, ...waiting] = comparable(ours)
    const [realFirst, ...realWaiting] = comparable(real)
    // Up to the end, for what runs; when a job that waits may start, the real one guesses.
    expect(first!.slice(0, 8)).toEqual(realFirst!.slice(0, 8))
    for (const [k, row] of waiting.entries()) expect(row.slice(0, 6)).toEqual(realWaiting[k]!.slice(0, 6))
    for (const row of [first, realFirst]) expect(row!.slice(-3)).toEqual(['mine', 'a/b', ''])
  })
})
