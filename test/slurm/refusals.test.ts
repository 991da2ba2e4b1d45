import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { FakeSlurm } from '../harness/slurm/fake/fake-slurm.js'
import { refusals } from '../harness/slurm/fake/refusals.js'
import { type SlurmLab, startSlurmLab } from '../harness/slurm/slurm-lab.js'
import { smallPool, type SlurmMesh, startSlurmMesh } from '../harness/slurm/slurm-mesh.js'

describe.skipIf(inject('slurmMissing') !== '')('what a real SLURM refuses', () => {
  let lab: SlurmLab
  let mesh: SlurmMesh

  beforeAll(async () => {
    lab = await startSlurmLab({ nodes: 1 })
    const pools = [
      smallPool({ name: 'right' }),
      smallPool({ name: 'partition', partition: 'nope' }),
      smallPool({ name: 'memory', memory: '1TB' }),
      smallPool({ name: 'walltime', partition: 'short', walltime: '3h' }),
      smallPool({ name: 'cpus', cpus: 99 }),
      smallPool({ name: 'gres', gres: 'quantum:1' }),
      smallPool({ name: 'constraint', constraint: 'green' }),
    ]
    mesh = await startSlurmMesh({ env: lab.env, pools })
  })

  afterAll(async () => {
    await mesh.close()
    await lab.close()
  })

  test.each([
    ['partition', 'Invalid partition name specified'],
    ['memory', 'Requested node configuration is not available'],
    ['walltime', 'Requested time limit is invalid'],
    ['cpus', 'More processors requested than permitted'],
    ['gres', 'Invalid generic resource'],
    ['constraint', 'Invalid feature specification'],
  ])(
    'a wrong %s is found before anything is submitted, in SLURM’s words and with advice that names the setting',
    async (pool, words) => {
      const tried = await mesh.callProvisioner((client) => client.verifySubmit({ pool }))
      expect(tried.accepted).toBe(false)
      expect(tried.message).toContain(words)
      expect(tried.advice).toContain(pool)
      expect(await lab.jobs()).toEqual([])
    },
  )

  test('what SLURM would take it says when and where it would start, and does not start', async () => {
    const tried = await mesh.callProvisioner((client) => client.verifySubmit({ pool: 'right' }))
    expect(tried).toMatchObject({ accepted: true, advice: '' })
    expect(tried.message).toMatch(/to start at .* on nodes node1/)
    expect(await lab.jobs()).toEqual([])
  })

  test('the script that is submitted can be read before, and is the one that SLURM gets', async () => {
    const { script } = await mesh.callProvisioner((client) => client.getScript({ pool: 'right' }))
    expect(script).toMatch(/^#!\/bin\/bash\n/)
    await mesh.callProvisioner((client) => client.scalePool({ pool: 'right', workers: 1 }))
    await mesh.cluster.waitForWorkers(1, { timeout: '100s' })
    const [job] = await lab.jobs()
    const { stdout } = await lab.run('scontrol', 'write', 'batch_script', job!.id, '-')
    expect(withoutKeys(stdout)).toBe(withoutKeys(script))
  })
})

test('an account that one may not use: the refusal and its advice reach who asks, and nothing is in the queue', async () => {
  await using fake = await FakeSlurm.start()
  fake.fail('sbatch', { kind: 'refuse', refusal: refusals.forbiddenAccount })
  const pools = [smallPool({ minWorkers: 1, account: 'theirs' })]
  await using mesh = await startSlurmMesh({ env: fake.env, pools })
  await expect.poll(async () => (await mesh.pool()).lastRefusal, { timeout: 60_000 }).toContain('Invalid account')
  expect((await mesh.pool()).advice).toContain('account')
  expect(fake.jobs.all).toEqual([])
})

/** A script without what is new in every submit: its key and its trace. */
function withoutKeys(script: string): string {
  return script
    .replaceAll(/p[0-9a-f]{10,}n\w+/g, '<key>')
    .replaceAll(/^export (TRACEPARENT|TRACESTATE)=.*\n/gm, '')
    .trim()
}
