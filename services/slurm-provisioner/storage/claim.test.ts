import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'

import { beforeEach, expect, test } from 'vitest'

import { type Claim, type ClaimOptions, takeClaim } from './claim.js'

let folder: string
let nowMs: number
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-claim-'))
  nowMs = 1_000_000
})

const take = (options: Partial<ClaimOptions> = {}): Promise<Claim> =>
  takeClaim({ folder, instanceId: 'a', nowMs: () => nowMs, takeOver: false, ...options })

/** What another provisioner left. */
async function leave(holder: {
  readonly host: string
  readonly pid: number
  readonly beatAtMs: number
  readonly born?: string
}): Promise<void> {
  await writeFile(
    path.join(folder, 'claim.json'),
    JSON.stringify({ token: 'other', instanceId: 'b', born: '', ...holder }),
  )
}

async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid!
}

test('who came first has it, and a second one is told who that is', async () => {
  const claim = await take()
  await expect(take({ instanceId: 'c' })).rejects.toMatchObject({
    name: 'RefusedError',
    message: expect.stringContaining(`provisioner a (process ${process.pid} on ${hostname()})`) as string,
  })
  await expect(claim.assert()).resolves.toBeUndefined()
})

test('of many that come at once one has it', async () => {
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => take({ instanceId: `p${index}` })))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('after a release, or the death of its holder on this host, it can be had', async () => {
  await (await take()).release()
  await leave({ host: hostname(), pid: await deadPid(), beatAtMs: nowMs })
  await expect((await take()).assert()).resolves.toBeUndefined()
})

test('who has the number of a holder that is gone is another process', async () => {
  await leave({ host: hostname(), pid: process.pid, beatAtMs: nowMs, born: '1' })
  await expect((await take()).assert()).resolves.toBeUndefined()
})

test('a holder on another host has it as long as it says so', async () => {
  await leave({ host: 'elsewhere', pid: 1, beatAtMs: nowMs })
  nowMs += 29_000
  await expect(take()).rejects.toThrow(/on elsewhere/)
  nowMs += 2_000
  await expect((await take()).assert()).resolves.toBeUndefined()
})

test('a beat keeps it', async () => {
  const claim = await take()
  nowMs += 60_000
  await claim.beat()
  const { beatAtMs } = JSON.parse(await readFile(path.join(folder, 'claim.json'), 'utf8')) as { beatAtMs: number }
  expect(beatAtMs).toBe(nowMs)
})

test('who takes over has it, and the former holder hears so before it does anything', async () => {
  const first = await take()
  const second = await take({ instanceId: 'z', takeOver: true })
  await expect(first.assert()).rejects.toThrow(/provisioner z .* has taken over/)
  await expect(first.beat()).rejects.toMatchObject({ name: 'RefusedError' })
  await first.release()
  await expect(second.assert()).resolves.toBeUndefined()
})

test('half a file is nobody’s', async () => {
  await writeFile(path.join(folder, 'claim.json'), '{"tok')
  await expect((await take()).assert()).resolves.toBeUndefined()
})
