import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { complaintOf, createCommandRunner, slurmEnv } from './command.js'

/** A folder with programs of these names. */
function programs(texts: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const folder = mkdtempSync(path.join(tmpdir(), 'costate-commands-'))
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(path.join(folder, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 })
  }
  return { PATH: `${folder}:${process.env['PATH'] ?? ''}` }
}

test('a command gets its arguments as they are, reads its input, and its end is told', async () => {
  const env = programs({ sbatch: 'printf "%s|" "$@"; cat; echo oops >&2; exit 3' })
  const run = createCommandRunner({ timeoutMs: 60_000, env })
  expect(await run('sbatch', ['a b', '$HOME', "it's"], 'script')).toEqual({
    ...{ exitCode: 3, stdout: "a b|$HOME|it's|script", stderr: 'oops\n', timedOut: false },
  })
})

test('one that does not read its input ends by itself', async () => {
  const run = createCommandRunner({ timeoutMs: 60_000, env: programs({ sbatch: 'exec 0<&-; exit 1' }) })
  expect(await run('sbatch', [], 'x'.repeat(1_000_000))).toMatchObject({ exitCode: 1 })
})

test('one that does not answer is ended', async () => {
  const run = createCommandRunner({ timeoutMs: 200, env: programs({ squeue: 'exec sleep 600' }) })
  const result = await run('squeue', [])
  expect(result).toMatchObject({ exitCode: undefined, timedOut: true })
  expect(complaintOf(result)).toBe('it did not answer in time')
})

test('one that is not there is an error that says where it was looked for', async () => {
  const run = createCommandRunner({ timeoutMs: 60_000, env: { PATH: '/nowhere' } })
  await expect(run('sbatch', [])).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringMatching(/^sbatch is not on PATH \(\/nowhere\)/) as string,
  })
})

test('commands run one after the other', async () => {
  const env = programs({ step: 'echo "begin $1" >> "$2"; sleep 0.1; echo "end $1" >> "$2"; cat "$2"' })
  const run = createCommandRunner({ timeoutMs: 60_000, env })
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'costate-order-')), 'log')
  const results = await Promise.all(['1', '2', '3'].map((step) => run('step', [step, file])))
  expect(results.at(-1)?.stdout).toBe('begin 1\nend 1\nbegin 2\nend 2\nbegin 3\nend 3\n')
})

test('no variable that changes what is submitted reaches a command; where SLURM is does', () => {
  const env = {
    PATH: '/bin',
    HOME: '/h',
    SLURM_CONF: '/c',
    SBATCH_PARTITION: 'p',
    SLURM_JOB_ID: '1',
    SQUEUE_FORMAT: '%i',
  }
  expect(slurmEnv(env)).toEqual({ PATH: '/bin', HOME: '/h', SLURM_CONF: '/c', SLURM_TIME_FORMAT: '%s', LC_ALL: 'C' })
})

test('what a command complained of is one line, without its name', () => {
  const stderr = 'sbatch: error: one\nsbatch: fatal: two\n\n'
  expect(complaintOf({ exitCode: 1, stdout: '', stderr, timedOut: false })).toBe('one; two')
  expect(complaintOf({ exitCode: 1, stdout: '', stderr: '', timedOut: false })).toBe(
    'it ended with code 1 and said nothing',
  )
  expect(complaintOf({ exitCode: undefined, stdout: '', stderr: '', timedOut: false })).toBe('it was killed')
})
