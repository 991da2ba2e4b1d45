import { afterEach, expect, test } from 'vitest'

import type { JobId, ObjectId } from '#libs/domain'
import { createMemoryJournal, type Journal } from '#libs/journal'

import type { Fact } from './core/fact.js'
import type { JobSpec } from './core/job-spec.js'
import { createState } from './core/state.js'
import { type Loop, startLoop } from './loop.js'

const running: Loop[] = []
afterEach(async () => {
  for (const loop of running.splice(0)) await loop.stop()
})

const jobNamed = (jobId: string): JobSpec => ({
  jobId: jobId as JobId,
  name: '',
  functions: [{ bundleDigest: 'bundle', taskName: 'f' }],
  tasks: [{ functionIndex: 0, input: new Uint8Array(), dependencies: [], name: '', timeoutMs: undefined }],
  seed: 0n,
  trace: {},
  detached: false,
})

const submit = (jobId: string) =>
  ({ kind: 'jobSubmitted', requestId: `request of ${jobId}`, job: jobNamed(jobId) }) as const

/** A journal whose flushes end when the test says so. */
function createSlowJournal(): Journal<Fact> & { flushes: { facts: string[]; end(error?: Error): void }[] } {
  const flushes: { facts: string[]; end(error?: Error): void }[] = []
  let started = false
  return {
    flushes,
    durability: 'fsynced',
    append: (facts) => {
      // The epoch, with which the loop starts.
      if (!started) {
        started = true
        return Promise.resolve()
      }
      return new Promise((resolve, reject) => {
        const end = (error?: Error): void => (error ? reject(error) : resolve())
        flushes.push({ facts: facts.map((fact) => (fact.kind === 'jobSubmitted' ? fact.job.jobId : fact.kind)), end })
      })
    },
    replay: async function* () {
      yield* []
    },
    close: async () => undefined,
  }
}

test('who asks for it is answered before the flush, everybody else after it', async () => {
  const journal = createSlowJournal()
  const { loop } = await start(journal)
  const early = loop.ask(submit('a'), { early: true })
  let answered = false
  const late = loop.ask(submit('b')).then(() => (answered = true))
  expect((await early).jobId).toBe('a')
  expect(answered).toBe(false)
  expect(journal.flushes.map(({ facts }) => facts)).toEqual([['a', 'b']])
  journal.flushes[0]?.end()
  await late
})

async function start(journal: Journal<Fact> = createMemoryJournal()) {
  const log: string[] = []
  const loop = await startLoop({
    state: createState(),
    journal,
    clock: { nowMs: () => 1_000 },
    perform: (effects) => {
      const told = effects.filter(({ kind }) => kind !== 'answer').map(({ kind }) => kind)
      if (told.length > 0) log.push(`perform ${told.join(' ')}`)
    },
    onFatal: (error) => log.push(`fatal ${(error as Error).message}`),
  })
  running.push(loop)
  return { loop, log }
}

/** Everything that can go on without another flush has gone on. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const join = (workerId: string) =>
  ({
    kind: 'workerJoined',
    profile: {
      workerId: workerId as never,
      host: '',
      pid: 1,
      slots: 1,
      addresses: [],
      memoryLimitBytes: 0,
      executor: 'thread' as const,
    },
    attempts: [],
    objects: [],
    stored: [],
  }) as const

/** The end of the job's only task, run by the worker for the first time. */
const endOf = (jobId: string, workerId: string) =>
  ({
    kind: 'tasksEnded',
    workerId: workerId as never,
    ends: [
      {
        jobId: jobId as JobId,
        index: 0,
        epoch: 1,
        attempt: 1,
        outcome: { kind: 'finished', result: { kind: 'inline', payload: new Uint8Array() } },
        startedAtMs: 0,
        endedAtMs: 1,
        slot: 0,
      },
    ],
  }) as const

test('nothing but a dispatch is said before it is remembered; then answers come first', async () => {
  const journal = createSlowJournal()
  const { loop, log } = await start(journal)
  loop.post(join('w1'))
  await quiet()
  void loop.ask(submit('j')).then(({ jobId }) => log.push(`answer ${jobId}`))
  await quiet()
  expect(journal.flushes.map(({ facts }) => facts)).toEqual([['workerAttached', 'j']])
  expect(log).toEqual(['perform runTask'])
  loop.post(endOf('j', 'w1'))
  journal.flushes[0]?.end()
  await quiet()
  expect(log).toEqual(['perform runTask', 'answer j'])
  expect(journal.flushes.at(-1)?.facts).toEqual(['taskSettled'])
  journal.flushes[1]?.end()
  await quiet()
  expect(log.slice(2)).toEqual(['perform acknowledgeEnd notifySettled notifyJob'])
})

test('facts that nothing follows from go with the next flush, before whoever looks, or with the tick', async () => {
  const journal = createSlowJournal()
  const { loop } = await start(journal)
  const flushed = () => journal.flushes.map(({ facts }) => facts.join(' '))
  const give = (jobId: string): void => loop.post({ kind: 'objectsReleased', objectIds: [`${jobId}/0` as ObjectId] })
  const asked = [loop.ask(submit('a')), loop.ask(submit('b')), loop.ask(submit('c'))]
  await quiet()
  journal.flushes[0]?.end()
  await Promise.all(asked)

  give('a')
  await quiet()
  expect(flushed()).toEqual(['a b c'])
  void loop.ask(submit('d'))
  await quiet()
  expect(flushed().slice(1)).toEqual(['resultsReleased d'])
  journal.flushes[1]?.end()
  await quiet()

  give('b')
  await quiet()
  const seen = loop.read(({ jobs }) => jobs.get('b' as JobId)?.unreleased)
  await quiet()
  expect(flushed().slice(2)).toEqual(['resultsReleased'])
  journal.flushes[2]?.end()
  expect(await seen).toBe(0)

  give('c')
  loop.post({ kind: 'timePassed' })
  await quiet()
  expect(flushed().slice(3)).toEqual(['resultsReleased'])
  journal.flushes[3]?.end()
})

test('what nobody waited for is remembered at the stop', async () => {
  const journal = createMemoryJournal<Fact>({ retain: true })
  const { loop } = await start(journal)
  await loop.ask(submit('a'))
  loop.post({ kind: 'objectsReleased', objectIds: ['a/0' as ObjectId] })
  await quiet()
  await loop.stop()
  const facts: string[] = []
  for await (const { kind } of journal.replay()) facts.push(kind)
  expect(facts).toEqual(['epochRaised', 'jobSubmitted', 'resultsReleased'])
})

test('a failed flush is fatal: nothing is answered or done but the dispatch before it, also not what was posted meanwhile', async () => {
  const journal = createSlowJournal()
  const { loop, log } = await start(journal)
  loop.post(join('w1'))
  await quiet()
  const asked = loop.ask(submit('j'))
  asked.then(
    () => log.push('answered'),
    () => undefined,
  )
  await quiet()
  loop.post(join('w2'))
  journal.flushes[0]?.end(new Error('the disk is full'))
  await quiet()
  loop.post(submit('another'))
  await quiet()
  expect(log).toEqual(['perform runTask', 'fatal the disk is full'])
  expect(journal.flushes).toHaveLength(1)
})

test('what comes in one turn is flushed at once, what comes during a flush is flushed next', async () => {
  const journal = createSlowJournal()
  const { loop } = await start(journal)
  void loop.ask(submit('a'))
  void loop.ask(submit('b'))
  await quiet()
  void loop.ask(submit('c'))
  void loop.ask(submit('d'))
  await quiet()
  expect(journal.flushes.map(({ facts }) => facts)).toEqual([['a', 'b']])
  journal.flushes[0]?.end()
  await quiet()
  expect(journal.flushes.map(({ facts }) => facts)).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ])
  journal.flushes[1]?.end()
})

test('a duplicate that comes while the first is flushed gets the same answer', async () => {
  const journal = createSlowJournal()
  const { loop } = await start(journal)
  const first = loop.ask(submit('j'))
  await quiet()
  const second = loop.ask({ ...submit('j'), job: jobNamed('another') })
  journal.flushes[0]?.end()
  expect([(await first).jobId, (await second).jobId]).toEqual(['j', 'j'])
  expect(journal.flushes).toHaveLength(1)
})

test('what facts do not follow from is done without a flush', async () => {
  const journal = createSlowJournal()
  const { loop } = await start(journal)
  expect(await loop.ask({ kind: 'cancelRequested', jobId: 'unknown' as JobId, reason: '' })).toMatchObject({
    refusal: { code: 'NOT_FOUND' },
  })
  expect(journal.flushes).toEqual([])
})

test('a look at the state sees only what is remembered', async () => {
  const journal = createSlowJournal()
  const { loop } = await start(journal)
  void loop.ask(submit('a'))
  await quiet()
  const seen: number[] = []
  void loop.read(({ jobs }) => seen.push(jobs.size))
  void loop.ask(submit('b'))
  await quiet()
  expect(seen).toEqual([])
  journal.flushes[0]?.end()
  await quiet()
  expect(seen).toEqual([1])
  journal.flushes[1]?.end()
  await quiet()
  expect(await loop.read(({ jobs }) => jobs.size)).toBe(2)
  const failed = loop.read(() => {
    throw new Error('no such job')
  })
  await expect(failed).rejects.toThrow('no such job')
})

test('a bug in what is done is fatal too', async () => {
  const log: string[] = []
  const loop = await startLoop({
    state: createState(),
    journal: createMemoryJournal(),
    clock: { nowMs: () => 0 },
    perform: () => {
      throw new Error('a bug')
    },
    onFatal: (error) => log.push((error as Error).message),
  })
  running.push(loop)
  void loop.ask(submit('j')).catch(() => undefined)
  await quiet()
  expect(log).toEqual(['a bug'])
})

test('a restart replays the journal, raises the epoch, and knows the request', async () => {
  const journal = createMemoryJournal<Fact>({ retain: true })
  const { loop: first } = await start(journal)
  first.post(join('w1'))
  await first.ask(submit('j'))
  await first.stop()
  const { loop: second } = await start(journal)
  expect(second.state.epoch).toBe(2)
  expect(await second.ask({ ...submit('j'), job: jobNamed('another') })).toMatchObject({ jobId: 'j' })
  expect(second.state.jobs.get('j' as JobId)?.counts.waiting).toBe(1)
  const facts: string[] = []
  for await (const { kind } of journal.replay()) facts.push(kind)
  expect(facts).toEqual(['epochRaised', 'workerAttached', 'jobSubmitted', 'epochRaised'])
})

test('at the stop what was posted is still handled, and what comes later is not', async () => {
  const journal = createMemoryJournal<Fact>({ retain: true })
  const { loop } = await start(journal)
  const asked = loop.ask(submit('a'))
  const stopped = loop.stop()
  loop.post(submit('b'))
  await expect(loop.ask(submit('c'))).rejects.toThrow('the scheduler is stopping')
  await stopped
  expect((await asked).jobId).toBe('a')
  expect([...loop.state.jobs.keys()]).toEqual(['a'])
})
