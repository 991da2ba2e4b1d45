import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { createMeshSecurity } from '#libs/rpc'

import { Dice } from '../../sim/dice.js'
import { type Failpoint, failpoints } from '../../../services/checkpoint-store/storage/failpoint.js'
import { Ledger, type Save } from './ledger.js'
import { StoreClient } from './store-client.js'
import { StoreProcess } from './store-process.js'

export interface StoreChaosSettings {
  readonly kills: number
  readonly seed: number
}

export interface StoreChaosReport {
  /** What was promised and did not come true; empty when all is well. */
  readonly complaints: readonly string[]
  readonly acknowledged: number
  /** How often each failpoint ended the store. */
  readonly killedAt: ReadonlyMap<string, number>
}

const writers = 4
/** The first writer deletes its name from time to time, and is the only one that uses it. */
const ownName = 'studies/own'
const sharedNames = ['jobs/a/tasks/0', 'jobs/a/tasks/1', 'studies/b', 'studies/c']
const names = [ownName, ...sharedNames]
/** A failpoint that is not come to within this is not waited for: the store is killed wherever it is. */
const patienceMs = 1_500
/** How often a failpoint is passed before it ends the store, at most. */
const mostPasses = 12
/** These are passed once, at the start. */
const startPoints: ReadonlySet<string> = new Set<Failpoint>([
  'before-catalogue-replay',
  'after-catalogue-replay',
  'after-inventory',
])

/**
 * Saves, deletes and prunes on a checkpoint-store that is killed at its failpoints, and elsewhere. After each death all that
 * was acknowledged must load, bit for bit; nothing may be half there; what is there must be sound.
 */
export async function runStoreChaos(
  { kills, seed }: StoreChaosSettings,
  onProgress: (line: string) => void,
): Promise<StoreChaosReport> {
  const dice = new Dice(seed, 0)
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-store-chaos-'))
  const [meshDir, dataDir] = [path.join(folder, 'mesh'), path.join(folder, 'data')]
  const ledger = new Ledger()
  const complaints: string[] = []
  const killedAt = new Map<string, number>()
  await createMeshSecurity(meshDir)
  const store = new StoreProcess(meshDir, dataDir)
  /** By writer, the save of which it does not know how it ended. */
  const pending = new Map<number, Save>()
  let nth = 0
  try {
    for (let kill = 1; kill <= kills; kill++) {
      // In turn, so that each has its share however few kills there are.
      const name = failpoints[(kill - 1) % failpoints.length] ?? ''
      const passes = startPoints.has(name) ? 0 : dice.between(0, mostPasses)
      const serves = await store.start(`${name}:${passes}`)
      const working = serves ? work(meshDir, store.address) : Promise.resolve()
      const where = (await store.end(serves ? patienceMs : 0)) ? name : 'elsewhere'
      killedAt.set(where, (killedAt.get(where) ?? 0) + 1)
      await working
      await store.start('')
      complaints.push(...(await look(meshDir, store.address)))
      await store.end(0)
      if (kill % 10 === 0)
        onProgress(`${kill} kills, ${ledger.acknowledgedCount} versions acknowledged, ${complaints.length} complaints`)
      if (complaints.length > 0) break
    }
    complaints.push(...(await clear(meshDir, dataDir)))
  } finally {
    await store.end(0)
    await rm(folder, { recursive: true, force: true })
  }
  return { complaints, acknowledged: ledger.acknowledgedCount, killedAt }

  /** Writers that go on until the store is gone. What they do not know the end of they ask again the next time. */
  async function work(from: string, address: string): Promise<void> {
    const client = await StoreClient.dial(from, address)
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(client, writer)))
    client.close()
  }

  async function write(client: StoreClient, writer: number): Promise<void> {
    for (;;) {
      const save = pending.get(writer) ?? newSave(writer)
      pending.set(writer, save)
      ledger.begin(save)
      try {
        complaints.push(...ledger.acknowledge(save, await client.save(save)))
        pending.delete(writer)
        if (writer === 0 && dice.chance(0.1)) await remove(client)
        if (writer === 1 && dice.chance(0.1)) await client.prune('studies/')
      } catch {
        return
      }
    }
  }

  async function remove(client: StoreClient): Promise<void> {
    ledger.beginDelete(ownName)
    await client.remove(ownName)
    ledger.acknowledgeDelete(ownName)
  }

  function newSave(writer: number): Save {
    const name = writer === 0 ? ownName : (dice.pick(sharedNames) ?? '')
    const longest = dice.pick([4_000, 4_000, 500_000, 500_000, 9_000_000]) ?? 0
    return { name, nth: ++nth, byteLength: dice.between(0, longest), requestId: randomUUID() }
  }

  async function look(from: string, address: string): Promise<string[]> {
    const client = await StoreClient.dial(from, address)
    const found = await client.readAll(ledger)
    const wrong = names.flatMap((name) => ledger.check(name, found.versions.get(name) ?? []))
    client.close()
    return [...wrong, ...found.complaints]
  }

  /** Deletes everything: no file may be left of it. */
  async function clear(from: string, data: string): Promise<string[]> {
    await store.start('')
    const client = await StoreClient.dial(from, store.address)
    for (const name of names) await client.remove(name).catch(() => undefined)
    client.close()
    await store.stop()
    const left = await readdir(path.join(data, 'chunks'), { recursive: true, withFileTypes: true })
    return left.filter((entry) => entry.isFile()).map(({ name }) => `file ${name} was left behind`)
  }
}
