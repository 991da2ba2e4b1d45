import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { createMeshSecurity } from '#libs/rpc'

import { FakeSlurm } from '../harness/slurm/fake/fake-slurm.js'
import { ProvisionerProcess } from '../harness/slurm/provisioner-process.js'
import { type PoolSettings, smallPool } from '../harness/slurm/slurm-mesh.js'

/** Settings are wrong: starting again does not help. */
const misconfigured = 2

let fake: FakeSlurm
let folder: string
let meshDir: string

beforeEach(async () => {
  fake = await FakeSlurm.start()
  folder = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
  meshDir = path.join(folder, 'mesh')
  await createMeshSecurity(meshDir)
})

afterEach(async () => {
  await fake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** Starts a provisioner that cannot start. @returns its exit code and what it said. */
async function refused(
  pools: readonly PoolSettings[] | string,
  env: Readonly<Record<string, string>> = fake.env,
): Promise<{ code: number | null; said: string }> {
  const poolsFile = path.join(folder, 'pools.json')
  await writeFile(poolsFile, typeof pools === 'string' ? pools : JSON.stringify({ pools }))
  const provisioner = ProvisionerProcess.launch(meshDir, ['--pools-file', poolsFile], env)
  const code = await provisioner.ended
  // Whatever was wrong, nothing of it came as far as SLURM.
  expect(fake.callsOf('sbatch')).toEqual([])
  expect(fake.jobs.all).toEqual([])
  return { code, said: provisioner.written }
}

test('a key that no pool has is named, with the nearest one that there is', async () => {
  const { code, said } = await refused([smallPool({ partitoin: 'compute' })])
  expect(said).toContain('partitoin')
  expect(said).toContain('partition')
  expect(code).toBe(misconfigured)
})

test.each(['1:2:3:4', 'tomorrow', '-5min', '0', ''])('the walltime %j is refused', async (walltime) => {
  const { code, said } = await refused([smallPool({ walltime })])
  expect(said).toContain('walltime')
  expect(code).toBe(misconfigured)
})

test('a pools file that is neither JSON nor YAML', async () => {
  const { code, said } = await refused('{ "pools": [ }')
  expect(said).toContain('pools.json')
  expect(code).toBe(misconfigured)
})

test('two pools of one name', async () => {
  const { code, said } = await refused([smallPool(), smallPool()])
  expect(said).toContain("'cpu'")
  expect(code).toBe(misconfigured)
})

test('without sbatch on PATH', async () => {
  const { code, said } = await refused([smallPool({ minWorkers: 1 })], { PATH: folder })
  expect(said).toContain('sbatch')
  expect(said).toContain('PATH')
  expect(code).toBe(misconfigured)
})

test('a SLURM that is too old', async () => {
  fake.version = '19.05.5'
  const { code, said } = await refused([smallPool({ minWorkers: 1 })])
  expect(said).toContain('19.05.5')
  expect(code).toBe(misconfigured)
})

test('a secret that cannot be read is named', async () => {
  const file = path.join(meshDir, 'tokens', 'provisioner')
  await rm(file)
  // Root may read every file, but no folder in the place of one.
  await mkdir(file)
  const { code, said } = await refused([smallPool({ minWorkers: 1 })])
  expect(said).toContain(file)
  expect(code).not.toBe(0)
})

test('a journal on a file system that machines share', async () => {
  const preload = path.join(folder, 'on-nfs.cjs')
  // What the system says of a folder on NFS.
  await writeFile(preload, `require('node:fs/promises').statfs = async () => ({ type: 0x6969 })\n`)
  const { code, said } = await refused([smallPool()], { ...fake.env, NODE_OPTIONS: `--require ${preload}` })
  expect(said).toContain('is on NFS, where locks and fsync cannot be trusted: give a folder on a local disk')
  expect(code).not.toBe(0)
})
