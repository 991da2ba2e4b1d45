import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { packageRoot } from '../harness/local-mesh.js'
import { runToEnd } from '../harness/program.js'

test('answers are the same bytes with one worker, and with four of which one is killed at work', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-answers-'))
  const answer = async (
    name: string,
    options: readonly string[],
  ): Promise<{ code: number | null; stdout: string; file: string }> => {
    const out = path.join(folder, `${name}.json`)
    const { code, stdout } = await runToEnd(
      process.execPath,
      [
        '--import',
        'tsx',
        path.join(packageRoot, 'test/workloads/main.ts'),
        '--only',
        'ckpt-',
        '--out',
        out,
        ...options,
      ],
      { cwd: packageRoot, env: { COSTATE_HOME: path.join(folder, name) } },
    )
    return { code, stdout, file: await readFile(out, 'utf8') }
  }
  const calm = await answer('calm', ['--workers', '1'])
  const harmed = await answer('harmed', ['--workers', '4', '--kill'])
  await rm(folder, { recursive: true, force: true })
  expect([calm.code, harmed.code]).toEqual([0, 0])
  expect(harmed.stdout).toMatch(/killed worker/)
  expect(harmed.file).toBe(calm.file)
  expect(calm.file).toContain('"prime_exponents"')
}, 600_000)
