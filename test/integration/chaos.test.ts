import { expect, test } from 'vitest'

import { packageRoot } from '../harness/local-mesh.js'
import { runToEnd } from '../harness/program.js'

test('a job survives deaths of its scheduler, of a worker and of its client, and nothing is left behind', async () => {
  const env = { TASKS: '500', KILLS: '2', WORKER_KILLS: '1', CLIENT_KILLS: '1', SEED: '1' }
  const end = await runToEnd(process.execPath, ['--import', 'tsx', 'test/chaos/main.ts'], { cwd: packageRoot, env })
  expect(`${end.stdout}${end.stderr}`).toContain('every promise was kept')
  expect(end.code).toBe(0)
}, 300_000)

test('what a checkpoint-store acknowledged survives its death at whichever step, whole', async () => {
  const env = { KILLS: '6', SEED: '1' }
  const program = ['--import', 'tsx', 'test/chaos/store/main.ts']
  const end = await runToEnd(process.execPath, program, { cwd: packageRoot, env })
  expect(`${end.stdout}${end.stderr}`).toContain('every promise was kept')
  expect(end.code).toBe(0)
}, 300_000)
