import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { describe, expect, inject, test } from 'vitest'

import { packageRoot } from '../harness/local-mesh.js'
import { runToEnd } from '../harness/program.js'
import { isAlive } from '../harness/slurm/job-table.js'
import { startSlurmLab } from '../harness/slurm/slurm-lab.js'

const page = path.join(packageRoot, 'deploy', 'slurm', 'README.md')

/** The first block of code of a language under a heading. */
function blockOf(text: string, heading: string, language: string): string {
  const section = text.slice(text.indexOf(`## ${heading}`))
  return section.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? ''
}

/** Code as it is whatever its lines are. */
function withoutLayout(code: string): string {
  return code.replaceAll(/\s+/g, '').replaceAll(',)', ')')
}

describe.skipIf(inject('slurmMissing') !== '')('a new user on a SLURM cluster', () => {
  test('follows the page word for word, and has a study that ran and left no job', async () => {
    const text = await readFile(page, 'utf8')
    const commands = blockOf(text, 'From nothing to a running study', 'sh').trim().split('\n')
    expect(commands[0]).toMatch(/^git clone .* costate$/)
    const shown = blockOf(text, 'From nothing to a running study', 'js')
    const study = await readFile(path.join(packageRoot, 'deploy', 'slurm', 'study.mjs'), 'utf8')
    expect(withoutLayout(shown)).toBe(withoutLayout(study))
    const folder = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
    await using lab = await startSlurmLab({ nodes: 2 })
    try {
      // What is tested is this checkout, in the place of a clone of it: a folder of its own, with what the checkout has.
      const script = ['set -e', `mkdir costate && ln -s '${packageRoot}'/* costate/`, ...commands.slice(1)].join('\n')
      const env = { ...lab.env, COSTATE_HOME: path.join(folder, 'home') }
      const { code, stdout, stderr } = await runToEnd('bash', ['-c', script], { cwd: folder, env })
      expect(`${code} ${stderr}`).toMatch(/^0 /)
      const estimate = Number(stdout.trim().split('\n').at(-1))
      expect(Math.abs(estimate - Math.PI)).toBeLessThan(0.01)
      const jobs = await lab.jobs()
      expect(jobs.length).toBeGreaterThan(0)
      await expect.poll(async () => (await lab.jobs()).filter(isAlive), { timeout: 100_000 }).toEqual([])
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  })
})
