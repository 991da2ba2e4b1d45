import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { exitCodes, type RunningService, startSupervisor, type Supervised, type SupervisorOptions } from './index.js'

let folder: string
let supervisor: RunningService | undefined
let warnings: string[]
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-supervise-'))
  warnings = []
})
afterEach(async () => {
  await supervisor?.stop(2_000)
  supervisor = undefined
  await rm(folder, { recursive: true, force: true })
})

/** A child writes what it was told, and when; then it does what its place in the row says: the last one for all after it. */
const prologue = `
import { appendFileSync, readFileSync } from 'node:fs'
const [file] = process.argv.slice(2)
process.on('SIGTERM', () => process.exit(0))
process.stdin.on('end', () => process.exit(0)).resume()
const { COSTATE_ID, COSTATE_PREDECESSOR, COSTATE_TEST_SETTING: setting } = process.env
const predecessor = COSTATE_PREDECESSOR ? JSON.parse(COSTATE_PREDECESSOR) : undefined
appendFileSync(file, JSON.stringify({ id: COSTATE_ID, predecessor, setting, atMs: Date.now() }) + '\\n')
const place = readFileSync(file, 'utf8').trim().split('\\n').length
`

async function supervise(deed: string, options: Partial<SupervisorOptions> = {}): Promise<void> {
  const program = path.join(folder, 'child.mjs')
  await writeFile(program, prologue + deed)
  await appendFile(path.join(folder, 'starts'), '')
  let minted = 0
  supervisor = startSupervisor({
    program,
    args: [path.join(folder, 'starts')],
    instance: 'child',
    count: options.count ?? 1,
    memoryLimitBytes: options.memoryLimitBytes ?? 0,
    mintId: () => `child-${++minted}`,
    warn: (message) => warnings.push(message),
    ...(options.mostCrashes === undefined ? {} : { mostCrashes: options.mostCrashes }),
    ...(options.healthyMs === undefined ? {} : { healthyMs: options.healthyMs }),
  })
}

async function starts(count: number): Promise<(Supervised & { readonly atMs: number })[]> {
  const read = async () => {
    const lines = (await readFile(path.join(folder, 'starts'), 'utf8')).split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as Supervised & { readonly atMs: number })
  }
  await expect.poll(async () => (await read()).length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count)
  return await read()
}

test('a child that takes the place of another has the environment that the first one had', async () => {
  process.env['COSTATE_TEST_SETTING'] = 'first'
  await supervise('if (place === 1) process.exit(1)')
  process.env['COSTATE_TEST_SETTING'] = 'later'
  try {
    expect(await starts(2)).toMatchObject([{ setting: 'first' }, { setting: 'first' }])
  } finally {
    delete process.env['COSTATE_TEST_SETTING']
  }
})

test('a child that grows over its limit is ended; the next one is told by how much', async () => {
  const grow = `
    if (place === 1) {
      const kept = []
      setInterval(() => kept.push(Buffer.alloc(20e6, 1)), 10)
    }`
  const limitBytes = 200_000_000
  await supervise(grow, { memoryLimitBytes: limitBytes })
  const [, second] = await starts(2)
  expect(second).toMatchObject({ id: 'child-2', predecessor: { id: 'child-1', signal: 'SIGKILL' } })
  expect(second?.predecessor?.memory?.limitBytes).toBe(limitBytes)
  expect(second?.predecessor?.memory?.bytes).toBeGreaterThan(0.95 * limitBytes)
  expect(warnings).toEqual([expect.stringMatching(/MB are over 95 % of the memory limit of 200 MB/)])
}, 20_000)

test('a child that crashes is started again, and told how the one before it ended', async () => {
  await supervise(`if (place === 1) process.exit(7)\nif (place === 2) process.kill(process.pid, 'SIGSEGV')`)
  const [first, second, third] = await starts(3)
  expect(first).not.toHaveProperty('predecessor')
  expect(second?.predecessor).toEqual({ id: 'child-1', exitCode: 7 })
  expect(third?.predecessor).toEqual({ id: 'child-2', signal: 'SIGSEGV' })
}, 20_000)

test('the pauses between starts grow', async () => {
  await supervise('process.exit(1)')
  const times = (await starts(5)).map(({ atMs }) => atMs)
  const pauses = times.slice(1).map((atMs, index) => atMs - (times[index] as number))
  const least = [100, 200, 400, 800]
  for (const [index, ms] of least.entries()) expect(pauses[index]).toBeGreaterThan(ms * 0.95)
}, 20_000)

test.each([exitCodes.ok, exitCodes.misconfigured, exitCodes.refused])(
  'exit code %i is not worth a new start, and is passed on',
  async (code) => {
    await supervise(`process.exit(${code})`, { count: 2 })
    expect(await supervisor?.ended).toBe(code)
    expect(await starts(2)).toHaveLength(2)
  },
  20_000,
)

test('a stop asks the children to end, and does not start one that was about to start', async () => {
  await supervise(`if (place > 1) process.exit(1)`, { count: 2 })
  await starts(2)
  await supervisor?.stop(5_000)
  const before = (await starts(2)).length
  expect(await supervisor?.ended?.then(() => 'ended')).toBe('ended')
  expect((await starts(2)).length).toBe(before)
}, 20_000)

test('a program that crashes at once, again and again, is let go with its last exit code', async () => {
  await supervise('process.exit(7)', { mostCrashes: 3 })
  expect(await supervisor?.ended).toBe(7)
  expect(await starts(3)).toHaveLength(3)
})

test('one that lived for a while is not counted among them', async () => {
  await supervise('setTimeout(() => process.exit(7), 20)', { mostCrashes: 2, healthyMs: 1 })
  expect((await starts(4)).length).toBeGreaterThanOrEqual(4)
})
