import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { defaultPools, parsePools, readPools } from './pools.js'

function problemsOf(content: unknown): string[] {
  try {
    parsePools(typeof content === 'string' ? content : JSON.stringify(content), 'pools.json')
  } catch (error) {
    expect((error as Error).name).toBe('ConfigError')
    return (error as Error).message.split('\n')
  }
  return []
}

function problemsOfPool(settings: Record<string, unknown>): string[] {
  return problemsOf({ pools: [{ name: 'cpu', ...settings }] })
}

test('a pool needs only a name', () => {
  const [pool] = parsePools('{"pools": [{"name": "cpu"}]}', 'pools.json')
  expect(pool?.limits).toEqual({
    name: 'cpu',
    minWorkers: 0,
    maxWorkers: 10,
    slotsPerWorker: 1,
    idleTimeoutMs: 300_000,
  })
  expect(pool).toMatchObject({ cpusPerTask: 1, timeMs: 3_600_000, signalLeadMs: 120_000, exclusive: false })
})

test('quantities are written as people write them; a slot gets a CPU unless told otherwise', () => {
  const text = '{"pools": [{"name": "cpu", "slots": 16, "memory": "32G", "time": "12:00:00", "idleTimeout": "90s"}]}'
  expect(parsePools(text, 'pools.json')[0]).toMatchObject({
    cpusPerTask: 16,
    memoryBytes: 32 * 2 ** 30,
    timeMs: 43_200_000,
    limits: { idleTimeoutMs: 90_000 },
  })
})

test('every mistake in a file is named with its place', () => {
  const problems = problemsOf({
    pools: [
      { name: 'CPU', slots: 0, partitoin: 'x' },
      { name: 'b', memory: 'much' },
    ],
  })
  expect(problems).toHaveLength(4)
  expect(problems[0]).toBe('pools.json: pools.0.name: must be at most 40 of a-z, 0-9 and -')
  expect(problems[1]).toMatch(/pools\.json: pools\.0\.slots: .*>=1/)
  expect(problems[2]).toMatch(/pools\.json: pools\.0: .*"partitoin"/)
  expect(problems[3]).toMatch(/pools\.json: pools\.1\.memory: .*'much' is no amount of memory/)
})

test.each([
  [{ minWorkers: 5, maxWorkers: 3 }, /pools\.0\.minWorkers: is 5, above maxWorkers \(3\)/],
  [{ time: '0' }, /time: must be at least a minute/],
  [{ time: '10min', signalLead: '10min' }, /signalLead: must be shorter than time/],
  [{ time: '30d', signalLead: '2d' }, /signalLead: must be at most 65535 seconds/],
  [{ maxWorkers: 1_001 }, /maxWorkers/],
  [{ partition: 'a\n#SBATCH --uid=0' }, /partition: must be one line/],
  [{ prologue: ['a\nb'] }, /prologue\.0: must be one line/],
  [{ directives: ['--array=0-9'] }, /directives\.0: '--array=0-9' is set by the provisioner itself/],
  [{ directives: ['--arr 0-9'] }, /directives\.0: .* is set by the provisioner itself/],
  [{ directives: ['-J name'] }, /directives\.0: .* is set by the provisioner itself/],
  [{ directives: ['nodelist=a'] }, /directives\.0: 'nodelist=a' is no option for sbatch/],
])('%j is refused', (settings, complaint) => {
  expect(problemsOfPool(settings).join('\n')).toMatch(complaint)
})

test('options that are not ours are passed on', () => {
  expect(
    problemsOfPool({ directives: ['--nodelist=node1', '-C fast', '--mem-per-cpu=2G', '--mail-type=END'] }),
  ).toEqual([])
})

test('two pools of one name, no pool, no JSON and no file are refused', async () => {
  expect(problemsOf({ pools: [{ name: 'a' }, { name: 'a' }] })).toEqual([
    "pools.json: pools.1.name: there are two pools 'a'",
  ])
  expect(problemsOf({ pools: [] })).toEqual(['pools.json: pools: must name at least one pool'])
  expect(problemsOf('{')[0]).toMatch(/^pools\.json is no JSON: /)
  await expect(readPools('/nowhere/pools.json')).rejects.toThrow(/--pools-file: ENOENT.*\/nowhere\/pools\.json/)
})

test('a file is read', async () => {
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'costate-pools-')), 'pools.json')
  await writeFile(file, '{"pools": [{"name": "cpu"}, {"name": "gpu", "gres": "gpu:1"}]}')
  expect((await readPools(file)).map(({ limits }) => limits.name)).toEqual(['cpu', 'gpu'])
})

test('the example in deploy/ is right', async () => {
  const example = fileURLToPath(new URL('../../../deploy/slurm/pools.json', import.meta.url))
  expect((await readPools(example)).map(({ limits }) => limits.name)).toEqual(['cpu', 'gpu'])
})

test('without a file there is one pool', () => {
  expect(defaultPools.map(({ limits }) => limits.name)).toEqual(['default'])
})
