import { WorkerState } from '#libs/proto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { createLocalScaler, type WorkerRegistry } from './local-scaler.js'

interface FakeWorker {
  readonly id: string
  assignedTasks: number
  heldObjects: number
  draining: boolean
  running: boolean
}

/** A scheduler and supervisors that start and let go at once, or when the test says so. */
function createMesh(initialCount: number, options: { readonly slotsPerWorker?: number; readonly slow?: boolean } = {}) {
  const workers: FakeWorker[] = []
  const tell = new Set<(wantedSlots: number) => void>()
  const fail = new Set<(error: Error) => void>()
  const starts: number[] = []
  let coming = initialCount
  let capacity = initialCount
  let watches = 0
  const arrive = (): void => {
    for (; coming > 0; coming--) {
      workers.push({ id: `w${workers.length}`, assignedTasks: 0, heldObjects: 0, draining: false, running: true })
    }
  }
  arrive()
  const registry = {
    listWorkers: async () => ({
      workers: workers.map(({ id, assignedTasks, heldObjects, draining }, pid) => ({
        ...{ workerId: id, pid, assignedTasks, heldObjects },
        state: draining ? WorkerState.DRAINING : WorkerState.READY,
      })),
    }),
    drainWorker: async ({ workerId }: { workerId: string }) => {
      const worker = workers.find(({ id }) => id === workerId)
      if (worker && worker.assignedTasks === 0) worker.draining = true
      else throw new Error('it runs tasks')
    },
    watchDemand: async function* (_request: object, { signal }: { signal: AbortSignal }) {
      watches++
      const levels: number[] = []
      let wake: () => void = () => undefined
      let error: Error | undefined
      tell.add((level) => {
        levels.push(level)
        wake()
      })
      fail.add((reason) => {
        error = reason
        wake()
      })
      signal.addEventListener('abort', () => wake())
      for (;;) {
        for (const wantedSlots of levels.splice(0)) yield { wantedSlots, presentSlots: 0, presentWorkers: 0 }
        if (error) throw error
        if (signal.aborted) return
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  } as unknown as WorkerRegistry
  const scaler = createLocalScaler(registry, {
    initialCount,
    slotsPerWorker: options.slotsPerWorker ?? 1,
    start: (count) => {
      starts.push(count)
      coming += count
      capacity += count
      if (!options.slow) arrive()
    },
    capacity: () => capacity,
    isRunning: (pid) => workers[pid]?.running ?? false,
    describeTroubles: async () => '',
    end: async () => undefined,
  })
  return {
    scaler,
    starts,
    workers,
    arrive,
    ready: () => workers.filter(({ draining, running }) => running && !draining).length,
    want: (slots: number) => tell.forEach((say) => say(slots)),
    cut: () => fail.forEach((say) => say(new Error('the scheduler is away'))),
    watches: () => watches,
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('scaling down step by step lets one go each time, though those before still leave', async () => {
  const mesh = createMesh(1)
  for (const count of [3, 2, 1, 1]) await mesh.scaler.scale(count)
  expect(mesh.ready()).toBe(1)
  await mesh.scaler.scale(0)
  expect(mesh.ready()).toBe(0)
  await mesh.scaler.scale(2)
  expect(mesh.ready()).toBe(2)
})

test('calls at the same time are taken one after the other', async () => {
  const mesh = createMesh(1)
  await Promise.all([4, 2, 3].map((count) => mesh.scaler.scale(count)))
  expect(mesh.ready()).toBe(3)
})

test('workers on their way count', async () => {
  const mesh = createMesh(1, { slow: true })
  await mesh.scaler.scale(3)
  await mesh.scaler.scale(3)
  expect(mesh.starts).toEqual([2])
  await mesh.scaler.scale(2)
  mesh.arrive()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(mesh.ready()).toBe(2)
})

test('workers that run tasks go when those are over', async () => {
  const mesh = createMesh(3)
  for (const worker of mesh.workers) worker.assignedTasks = 1
  await mesh.scaler.scale(1)
  expect(mesh.ready()).toBe(3)
  for (const worker of mesh.workers) worker.assignedTasks = 0
  await vi.advanceTimersByTimeAsync(5_000)
  expect(mesh.ready()).toBe(1)
})

test('those that have least to hand over go first', async () => {
  const mesh = createMesh(3)
  for (const [at, worker] of mesh.workers.entries()) worker.heldObjects = at === 1 ? 0 : 5
  await mesh.scaler.scale(2)
  expect(mesh.workers.map(({ draining }) => draining)).toEqual([false, true, false])
})

test('one that has crashed and is started again is not let go in place of one that lives', async () => {
  const mesh = createMesh(2)
  ;(mesh.workers[0] as FakeWorker).running = false
  mesh.workers.push({ id: 'again', assignedTasks: 0, heldObjects: 0, draining: false, running: true })
  await mesh.scaler.scale(1)
  expect(mesh.ready()).toBe(1)
})

test('adapting goes by the slots of a worker, also when there is none', async () => {
  const mesh = createMesh(1, { slotsPerWorker: 4 })
  await mesh.scaler.scale(0)
  mesh.scaler.adapt({ minimum: 0, maximum: 8 })
  await vi.advanceTimersByTimeAsync(0)
  mesh.want(4)
  await vi.advanceTimersByTimeAsync(0)
  expect(mesh.ready()).toBe(1)
})

test('adapting grows at once, and shrinks to the most that was wanted for a while', async () => {
  const mesh = createMesh(1)
  mesh.scaler.adapt({ minimum: 1, maximum: 4 })
  await vi.advanceTimersByTimeAsync(0)
  mesh.want(9)
  await vi.advanceTimersByTimeAsync(0)
  expect(mesh.ready()).toBe(4)
  // A task after the other: demand goes up and down, but never over one.
  for (let i = 0; i < 50; i++) {
    mesh.want(i % 2)
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(mesh.ready()).toBe(1)
})

test('a pause between two jobs lets nobody go', async () => {
  const mesh = createMesh(1)
  mesh.scaler.adapt({ minimum: 1, maximum: 4 })
  await vi.advanceTimersByTimeAsync(0)
  for (let i = 0; i < 20; i++) {
    mesh.want(i % 2 ? 0 : 4)
    await vi.advanceTimersByTimeAsync(500)
  }
  expect(mesh.ready()).toBe(4)
})

test('adapting goes on when the scheduler was away', async () => {
  const mesh = createMesh(1)
  mesh.scaler.adapt({ minimum: 1, maximum: 4 })
  await vi.advanceTimersByTimeAsync(0)
  mesh.cut()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(mesh.watches()).toBe(2)
  mesh.want(3)
  await vi.advanceTimersByTimeAsync(0)
  expect(mesh.ready()).toBe(3)
})
