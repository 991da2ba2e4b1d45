import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { defaultPools, parsePools, type PoolSpec, readPools } from './pools.js'

async function problemsOf(content: unknown, file = 'pools.json'): Promise<string[]> {
  try {
    await parsePools(typeof content === 'string' ? content : JSON.stringify(content), file)
  } catch (error) {
    expect((error as Error).name).toBe('ConfigError')
    return (error as Error).message.split('\n')
  }
  return []
}

async function problemsOfPool(settings: Record<string, unknown>): Promise<string[]> {
  return await problemsOf({ pools: [{ name: 'cpu', ...settings }] })
}

async function poolOf(settings: Record<string, unknown>): Promise<PoolSpec> {
  const [pool] = await parsePools(JSON.stringify({ pools: [{ name: 'cpu', ...settings }] }), 'pools.json')
  return pool!
}

test('a pool needs only a name', async () => {
  const pool = await poolOf({})
  expect(pool.limits).toMatchObject({
    ...{
      name: 'cpu',
      minWorkers: 0,
      maxWorkers: 10,
      slotsPerWorker: 1,
      workersPerAllocation: 1,
      idleTimeoutMs: 300_000,
    },
    ...{
      maxPending: 100,
      maxJobs: 1_000,
      array: true,
      maxFailedSubmits: 10,
      maxNeverRegistered: 3,
      coreHours: undefined,
    },
  })
  expect(pool).toMatchObject({ cpus: 1, nodes: 1, signalLeadMs: 120_000, exclusive: false, resources: {} })
  expect(pool.limits.walltimeMs).toBe(3_600_000)
})

test('quantities are written as people write them, in YAML too; each CPU is a slot unless told otherwise', async () => {
  const text = `
pools:
  - name: cpu
    cpus: 16
    memory: 32G
    walltime: 12:00:00
    idleTimeout: 90s
    modules: [nodejs/20]
`
  const [pool] = await parsePools(text, 'pools.yaml')
  expect(pool).toMatchObject({ cpus: 16, memoryBytes: 32 * 2 ** 30, modules: ['nodejs/20'] })
  expect(pool!.limits).toMatchObject({ slotsPerWorker: 16, walltimeMs: 43_200_000, idleTimeoutMs: 90_000 })
})

test('a job on several nodes has a worker on each, and costs the cores of all', async () => {
  const { limits } = await poolOf({ nodes: 4, workersPerNode: 2, cpus: 8, maxWorkers: 16 })
  expect(limits).toMatchObject({ workersPerAllocation: 8, coresPerAllocation: 32, slotsPerWorker: 4 })
})

test.each([
  ['gpu:2', { gpu: 2 }],
  ['gpu:a100:4', { gpu: 4 }],
  ['gpu', { gpu: 1 }],
  ['gpu:h100', { gpu: 1 }],
  ['licence:3', {}],
])('workers of a job with gres %s offer %j', async (gres, resources) => {
  expect((await poolOf({ gres })).resources).toEqual(resources)
})

test('every mistake in a file is named with its place, and an unknown setting with the nearest known one', async () => {
  const problems = await problemsOf({
    pools: [
      { name: 'CPU', slots: 0, partitoin: 'x' },
      { name: 'b', memory: 'much', queue: 'q', xyzzy: 1 },
    ],
  })
  expect(problems).toHaveLength(6)
  expect(problems[0]).toBe('pools.json: pools.0.name: must be at most 40 of a-z, 0-9 and -')
  expect(problems[1]).toMatch(/pools\.json: pools\.0\.slots: .*>=1/)
  expect(problems[2]).toBe("pools.json: pools.0: unknown setting 'partitoin'; did you mean 'partition'?")
  expect(problems[3]).toMatch(/pools\.json: pools\.1\.memory: .*'much' is no amount of memory/)
  expect(problems[4]).toBe("pools.json: pools.1: unknown setting 'queue'; did you mean 'partition'?")
  expect(problems[5]).toMatch(/pools\.1: unknown setting 'xyzzy'; the settings are name, partition, /)
})

test.each([
  ['time', 'walltime'],
  ['max_workers', 'maxWorkers'],
  ['maxworkrs', 'maxWorkers'],
  ['cpusPerTask', 'cpus'],
  ['job_script_prologue', 'prologue'],
  ['mem', 'memory'],
])('%s is taken for %s', async (unknown, known) => {
  expect((await problemsOfPool({ [unknown]: 1 })).join('\n')).toContain(`did you mean '${known}'?`)
})

test.each([
  [{ minWorkers: 5, maxWorkers: 3 }, /pools\.0\.minWorkers: is 5, above maxWorkers \(3\)/],
  [{ walltime: '10s' }, /walltime: must be at least a minute/],
  [{ walltime: '60' }, /walltime: '60' has no unit; write for example '60min'/],
  [{ walltime: 60 }, /walltime: '60' has no unit/],
  [{ walltime: '1:2:3:4' }, /walltime: '1:2:3:4' is no duration/],
  [{ memory: 4096 }, /memory: '4096' has no unit; write for example '4096M'/],
  [{ walltime: '10min', signalLead: '10min' }, /signalLead: must be shorter than walltime/],
  [{ walltime: '30d', signalLead: '2d' }, /signalLead: must be at most 65535 seconds/],
  [{ maxWorkers: 1_001 }, /maxWorkers/],
  [{ nodes: 20 }, /nodes: one job has 20 workers, more than maxWorkers \(10\)/],
  [{ partition: 'a\n#SBATCH --uid=0' }, /partition: must be one line/],
  [{ prologue: ['a\nb'] }, /prologue\.0: must be one line/],
  [{ modules: ['a b'] }, /modules\.0: must be one word/],
  [{ directives: ['--array=0-9'] }, /directives\.0: '--array=0-9' is set by the provisioner itself/],
  [{ directives: ['--arr 0-9'] }, /directives\.0: .* is set by the provisioner itself/],
  [{ directives: ['-J name'] }, /directives\.0: .* is set by the provisioner itself/],
  [{ directives: ['nodelist=a'] }, /directives\.0: 'nodelist=a' is no option for sbatch/],
  [{ resources: { gpu: -1 } }, /resources/],
])('%j is refused', async (settings, complaint) => {
  expect((await problemsOfPool(settings)).join('\n')).toMatch(complaint)
})

test('options that are not ours are passed on', async () => {
  const directives = ['--nodelist=node1', '--mem-per-cpu=2G', '--mail-type=END', '-d singleton']
  expect(await problemsOfPool({ directives })).toEqual([])
})

test('two pools of one name, no pool, neither JSON nor YAML and no file are refused', async () => {
  expect(await problemsOf({ pools: [{ name: 'a' }, { name: 'a' }] })).toEqual([
    "pools.json: pools.1.name: there are two pools 'a'",
  ])
  expect(await problemsOf({ pools: [] })).toEqual(['pools.json: pools: must name at least one pool'])
  expect((await problemsOf('{'))[0]).toMatch(/^pools\.json is no JSON: /)
  expect((await problemsOf('a: [', 'pools.yaml'))[0]).toMatch(/^pools\.yaml is neither JSON nor YAML: /)
  await expect(readPools('/nowhere/pools.json')).rejects.toThrow(/--pools-file: ENOENT.*\/nowhere\/pools\.json/)
})

test('a file is read', async () => {
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'costate-pools-')), 'pools.json')
  await writeFile(file, '{"pools": [{"name": "cpu"}, {"name": "gpu", "gres": "gpu:1"}]}')
  expect((await readPools(file)).map(({ limits }) => limits.name)).toEqual(['cpu', 'gpu'])
})

test('the example in deploy/ is right', async () => {
  const example = fileURLToPath(new URL('../../../deploy/slurm/pools.yaml', import.meta.url))
  expect((await readPools(example)).map(({ limits }) => limits.name)).toEqual(['cpu', 'gpu', 'wide'])
})

test('without a file there is one pool', () => {
  expect(defaultPools.map(({ limits }) => limits.name)).toEqual(['default'])
})
