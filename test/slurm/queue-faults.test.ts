import { afterEach, beforeEach, expect, test } from 'vitest'

import { ownUid } from '../harness/slurm/fake/answers.js'
import { FakeSlurm } from '../harness/slurm/fake/fake-slurm.js'
import { queueFailures, refusals } from '../harness/slurm/fake/refusals.js'
import { smallPool, type SlurmMesh, startSlurmMesh } from '../harness/slurm/slurm-mesh.js'

const stranger = 12_345
/** So many looks at the queue later, whatever was concluded from it has been done. */
const looks = 3

let fake: FakeSlurm
let mesh: SlurmMesh | undefined

beforeEach(async () => {
  fake = await FakeSlurm.start()
})

afterEach(async () => {
  await mesh?.close()
  await fake[Symbol.asyncDispose]()
  mesh = undefined
})

/** A provisioner that wants one worker, which registers whenever it likes. */
async function wantOneWorker(...flags: readonly string[]): Promise<SlurmMesh> {
  const pools = [smallPool({ minWorkers: 1, maxWorkers: 1, registerTimeout: '1h', pendingTimeout: '1h' })]
  mesh = await startSlurmMesh({
    env: fake.env,
    pools,
    flags: flags.includes('--poll-interval') ? flags : ['--poll-interval', '150ms', ...flags],
  })
  return mesh
}

async function moreLooks(): Promise<void> {
  await fake.callCount('squeue', fake.callsOf('squeue').length + looks)
}

test('a submit that fails though it was done is found in the queue, and not done again', async () => {
  fake.fail('sbatch', { kind: 'failThoughDone', refusal: refusals.timedOut }, 1)
  await wantOneWorker()
  await fake.callCount('sbatch', 1)
  await moreLooks()
  expect(fake.callsOf('sbatch')).toHaveLength(1)
  expect(fake.jobs.all).toHaveLength(1)
  // Now it is known: when it ends, another takes its place.
  fake.jobs.start('1')
  fake.jobs.end('1', 'NODE_FAIL')
  await fake.callCount('sbatch', 2)
  expect(fake.jobs.all.map(({ state }) => state)).toEqual(['NODE_FAIL', 'PENDING'])
})

test('a submit that never answers is ended, looked for, and done again when it is nowhere', async () => {
  fake.fail('sbatch', { kind: 'silence' }, 1)
  await wantOneWorker('--command-timeout', '3s')
  await fake.callCount('sbatch', 2)
  const [first, second] = fake.callsOf('sbatch')
  const looked = fake.callsOf('squeue').filter(({ atMs }) => atMs > first!.atMs && atMs < second!.atMs)
  expect(looked.length).toBeGreaterThan(0)
  await moreLooks()
  expect(fake.jobs.all).toHaveLength(1)
  expect(fake.callsOf('sbatch')).toHaveLength(2)
})

test.each([
  ['does not answer', { kind: 'silence' }],
  ['cannot reach its controller', { kind: 'refuse', refusal: queueFailures.unreachable }],
  ['prints garbage', { kind: 'garbage', stdout: '\u0000\u0001 slurm_load_jobs\n12|what\n' }],
  ['prints nothing', { kind: 'garbage', stdout: '' }],
] as const)('a squeue that %s tells nothing: nobody is submitted or cancelled for it', async (_, fault) => {
  await wantOneWorker('--command-timeout', '3s')
  await fake.callCount('sbatch', 1)
  fake.jobs.start('1')
  await moreLooks()
  fake.fail('squeue', fault)
  await moreLooks()
  expect(fake.callsOf('sbatch')).toHaveLength(1)
  expect(fake.callsOf('scancel')).toHaveLength(0)
  fake.heal('squeue')
  await moreLooks()
  expect(fake.callsOf('sbatch')).toHaveLength(1)
  // And it sees again what happens.
  fake.jobs.end('1', 'FAILED', 256)
  await fake.callCount('sbatch', 2)
  expect(fake.callsOf('scancel')).toHaveLength(0)
})

test('among ten thousand other jobs it finds its own, touches no other, and asks no more often', async () => {
  fake.jobs.addForeign(5_000, stranger)
  fake.jobs.addForeign(5_000, ownUid())
  await wantOneWorker()
  await fake.callCount('sbatch', 1)
  const { id } = fake.jobs.all.at(-1)!
  fake.jobs.start(id)
  const before = fake.calls.length
  await moreLooks()
  expect(fake.calls.length - before).toBeLessThanOrEqual(looks + 1)
  fake.jobs.end(id, 'FAILED', 256)
  await fake.callCount('sbatch', 2)
  const foreign = fake.jobs.all.filter(({ name }) => name === 'foreign')
  expect(foreign.map(({ state }) => state)).toEqual(Array.from({ length: 10_000 }, () => 'PENDING'))
})

test('a controller that forgot a job and gave its number to another: ours is submitted again, the other is left alone', async () => {
  await wantOneWorker()
  await fake.callCount('sbatch', 1)
  fake.jobs.start('1')
  await moreLooks()
  fake.jobs.forget('1')
  fake.jobs.nextNumber = 1
  fake.jobs.addForeign(1, ownUid())
  fake.jobs.start('1')
  await fake.callCount('sbatch', 2)
  await moreLooks()
  expect(fake.jobs.find('1')).toMatchObject({ name: 'foreign', state: 'RUNNING' })
  expect(fake.jobs.all).toHaveLength(2)
  expect(fake.callsOf('scancel')).toEqual([])
})

test('R3: a submit that is refused is told in SLURM’s own words, and tried again ever later until it succeeds', async () => {
  fake.fail('sbatch', { kind: 'refuse', refusal: refusals.tooManyJobs }, 3)
  const { provisioner } = await wantOneWorker('--poll-interval', '1s')
  await fake.callCount('sbatch', 4)
  expect(provisioner.written).toContain('QOSMaxSubmitJobPerUserLimit')
  const waits = [...provisioner.written.matchAll(/tried again in (\d+) s/g)].map(([, seconds]) => Number(seconds))
  expect(waits).toEqual([1, 2, 4])
  // And it did wait: a clock that is read twice may be off by a little.
  const at = fake.callsOf('sbatch').map(({ atMs }) => atMs)
  for (const [k, seconds] of waits.entries()) expect(at[k + 1]! - at[k]!).toBeGreaterThan(900 * seconds)
  expect(fake.jobs.all).toHaveLength(1)
})
