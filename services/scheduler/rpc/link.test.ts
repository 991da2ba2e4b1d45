import { afterEach, beforeEach, expect, test } from 'vitest'

import type { JobId, ObjectId, WorkerId } from '#libs/domain'
import { LinkResponse, ObjectDescriptor } from '#libs/proto'
import { readRpcFailure } from '#libs/rpc'

import type { TaskSpec } from '../core/job-spec.js'
import { quiet, type Rim, sessionIdOf, startRim } from '../testing/rim.js'

let rim: Rim
beforeEach(async () => {
  rim = await startRim()
})
afterEach(async () => rim.loop.stop())

type Command = NonNullable<LinkResponse['command']>

const kinds = (commands: readonly Command[]): string[] => commands.map(({ $case }) => $case)
const w1 = 'w1' as WorkerId

async function submit(
  jobId: string,
  count: number,
  inputBytes = 1,
  dependencies: TaskSpec['dependencies'] = [],
): Promise<void> {
  const task: TaskSpec = {
    functionIndex: 0,
    input: Buffer.alloc(inputBytes),
    dependencies,
    name: '',
    timeoutMs: undefined,
  }
  const job = {
    jobId: jobId as JobId,
    name: '',
    functions: [{ bundleDigest: 'b', taskName: 'f' }],
    tasks: Array.from({ length: count }, () => task),
    seed: 3n,
    trace: {},
    detached: true,
  }
  await rim.loop.ask({ kind: 'jobSubmitted', requestId: `request of ${jobId}`, job })
  await quiet()
}

const endOf = (taskId: string, payload = Buffer.alloc(1)) => ({
  attempt: { taskId, epoch: 1n, attempt: 1, running: false, behind: [] },
  outcome: { $case: 'payload', value: payload } as const,
  startedAtMs: 1,
  endedAtMs: 2,
  savedCheckpoint: false,
  slot: 0,
})

test('a worker is welcomed, gets tasks, and its ends are acknowledged', async () => {
  const link = rim.openLink({ workerId: w1 })
  await submit('j', 1)
  const [welcome, run] = link.heard()
  expect(welcome).toMatchObject({ $case: 'welcome', value: { epoch: 1n } })
  expect(run).toMatchObject({
    $case: 'runTasks',
    value: { jobs: [{ jobId: 'j', seed: 3n }], tasks: [{ job: 0, index: 0, attempt: 1, epoch: 1n, inputs: [] }] },
  })
  link.say({ $case: 'tasksEnded', value: { started: [], tasks: [endOf('j/0')] } })
  await quiet()
  expect(link.heard()).toMatchObject([
    { $case: 'acknowledgeEnds', value: { attempts: [{ taskId: 'j/0', epoch: 1n, attempt: 1 }] } },
  ])
})

test('what begins with the end of another is known to run', async () => {
  const link = rim.openLink({ workerId: w1, slots: 2 })
  await submit('j', 2)
  const attempt = { taskId: 'j/1', epoch: 1n, attempt: 1, running: false, behind: [] }
  link.say({ $case: 'tasksEnded', value: { started: [{ attempt, atMs: 5, slot: 0 }], tasks: [endOf('j/0')] } })
  await quiet()
  expect(rim.loop.state.jobs.get('j' as JobId)?.tasks.map(({ status }) => status)).toMatchObject([
    { kind: 'settled' },
    { kind: 'running', startedAtMs: 5 },
  ])
})

test('commands of a kind are one message, however many tasks they are about', async () => {
  const link = rim.openLink({ workerId: w1, slots: 10 })
  await submit('j', 10)
  link.heard()
  const ended = Array.from({ length: 4 }, (_, i) => endOf(`j/${i}`))
  link.say({ $case: 'tasksEnded', value: { started: [], tasks: ended } })
  await quiet()
  await rim.loop.ask({ kind: 'cancelRequested', jobId: 'j' as JobId, reason: 'test' })
  await quiet()
  const commands = link.heard()
  expect(kinds(commands)).toEqual(['acknowledgeEnds', 'cancelTasks'])
  expect(commands).toMatchObject([{ value: { attempts: { length: 4 } } }, { value: { attempts: { length: 6 } } }])
})

test('tasks come in messages that fit, however large their inputs', async () => {
  const link = rim.openLink({ workerId: w1, slots: 40 })
  await submit('j', 40, 2 ** 20)
  const runs = link.heard().filter(({ $case }) => $case === 'runTasks')
  expect(runs.length).toBeGreaterThanOrEqual(10)
  for (const command of runs) expect(LinkResponse.encode({ command }).finish().byteLength).toBeLessThan(6 * 2 ** 20)
  expect(runs.flatMap((run) => (run.$case === 'runTasks' ? run.value.tasks : []))).toHaveLength(40)
})

test('small inputs travel with the command, large ones with who holds them', async () => {
  const one = rim.openLink({ workerId: w1, addresses: ['one:1', 'one:2'] })
  await submit('a', 1)
  one.say({ $case: 'tasksEnded', value: { started: [], tasks: [endOf('a/0', Buffer.from('small'))] } })
  await submit('b', 1)
  const object = { ...ObjectDescriptor.fromPartial({}), objectId: 'b/0', byteLength: 1_000n }
  one.say({
    $case: 'tasksEnded',
    value: { started: [], tasks: [{ ...endOf('b/0'), outcome: { $case: 'object', value: object } }] },
  })
  await quiet()
  one.heard()
  await submit('c', 1, 1, ['a/0', 'b/0'] as ObjectId[])
  expect(one.heard()).toMatchObject([
    {
      value: {
        tasks: [
          {
            inputs: [
              { objectId: 'a/0', result: { location: { $case: 'payload', value: Buffer.from('small') }, holders: [] } },
              {
                objectId: 'b/0',
                result: {
                  location: { $case: 'object', value: object },
                  holders: [{ workerId: 'w1', addresses: ['one:1', 'one:2'] }],
                },
              },
            ],
          },
        ],
      },
    },
  ])
})

test('a cut link leaves the worker its time to come back; a goodbye does not', async () => {
  const link = rim.openLink({ workerId: w1 })
  await submit('j', 1)
  link.cut()
  await quiet()
  expect(rim.state.workers.get(w1)?.unlinkedSinceMs).toBe(1_000_000)
  const attempts = [{ taskId: 'j/0', epoch: 1n, attempt: 1, running: true, behind: [] }]
  const again = rim.openLink({ workerId: w1, attempts })
  await quiet()
  expect(rim.state.workers.get(w1)?.unlinkedSinceMs).toBeUndefined()
  expect(rim.state.jobs.get('j' as JobId)?.tasks[0]?.status.kind).toBe('running')
  again.say({ $case: 'goodbye', value: { reason: 'test' } })
  again.close()
  await again.ended
  await quiet()
  expect(rim.state.workers.size).toBe(0)
})

test('a link that another one replaced says nothing about the worker', async () => {
  const first = rim.openLink({ workerId: w1 })
  await quiet()
  const second = rim.openLink({ workerId: w1 })
  await first.ended
  await quiet()
  expect(rim.state.workers.get(w1)?.unlinkedSinceMs).toBeUndefined()
  await submit('j', 1)
  expect(kinds(second.heard())).toEqual(['welcome', 'runTasks'])
})

test('reports that name no task are passed over, those beside them count', async () => {
  const link = rim.openLink({ workerId: w1 })
  await submit('j', 1)
  link.heard()
  link.say({ $case: 'tasksEnded', value: { started: [], tasks: [endOf('nonsense'), endOf('j/0')] } })
  await quiet()
  expect(link.heard()).toMatchObject([{ $case: 'acknowledgeEnds', value: { attempts: [{ taskId: 'j/0' }] } }])
})

test('a scattered buffer belongs to the session, however its id is written', async () => {
  const session = rim.openSession(sessionIdOf(0xab))
  const link = rim.openLink({ workerId: w1 })
  await quiet()
  const objects = [{ ...ObjectDescriptor.fromPartial({}), objectId: 'o-1', byteLength: 8n }]
  const sessionId = sessionIdOf(0xab).toUpperCase()
  link.say({ $case: 'objectsStored', value: { requestId: 'r', sessionId, objects } })
  await quiet()
  expect(kinds(link.heard())).toEqual(['welcome', 'acknowledgeStored'])
  expect([...rim.state.sessions.keys()]).toEqual([sessionIdOf(0xab)])
  link.say({ $case: 'objectsDropped', value: { objectIds: ['o-1'] } })
  await quiet()
  expect(session.heard()).toMatchObject([{ $case: 'welcome' }, { $case: 'lost', value: { objectIds: ['o-1'] } }])
})

test('a worker that sends nonsense first is refused', async () => {
  const link = rim.openLink({ workerId: '' })
  await expect(link.ended.catch((error: unknown) => readRpcFailure(error))).resolves.toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'BAD_WORKER',
  })
  expect(rim.state.workers.size).toBe(0)
})

test('a report that cannot be handled ends the link with an error instead of silence', async () => {
  const link = rim.openLink({ workerId: w1 })
  await quiet()
  link.say({ $case: 'tasksEnded', value: undefined as never })
  await expect(link.ended).rejects.toThrow()
})

const objectOf = (objectId: string) => ({ ...ObjectDescriptor.fromPartial({}), objectId, byteLength: 8n })
const nothingMore = { attempts: [], objects: [], stored: [], inventoryFollows: false }

test('an inventory in parts counts when all of it is there', async () => {
  const first = rim.openLink({ workerId: w1 })
  await submit('j', 2)
  first.cut()
  await quiet()
  const attemptOf = (taskId: string) => ({ taskId, epoch: 1n, attempt: 1, running: true, behind: [] })
  const link = rim.openLink({ workerId: w1, slots: 2, attempts: [attemptOf('j/0')], inventoryFollows: true })
  const stored = [{ requestId: 'r', sessionId: '', objects: [objectOf('o-1')] }]
  link.say({ $case: 'inventory', value: { ...nothingMore, stored, inventoryFollows: true } })
  await quiet()
  expect(link.heard()).toEqual([])
  expect(rim.state.workers.get(w1)?.unlinkedSinceMs).toBe(1_000_000)
  link.say({ $case: 'inventory', value: nothingMore })
  await quiet()
  expect(kinds(link.heard())).toEqual(['welcome', 'runTasks', 'acknowledgeStored'])
  expect(rim.state.jobs.get('j' as JobId)?.tasks.map(({ status }) => status.kind)).toEqual(['running', 'assigned'])
  expect(rim.state.objects.size).toBe(1)
})

const pulse = { rssBytes: 1n, heldBytes: 1n, spilledBytes: 2n, loopLagMs: 0, paused: false, fetchBytesPerSecond: 0n }

test('a link that ends in the middle of the inventory says nothing', async () => {
  const link = rim.openLink({ workerId: w1, inventoryFollows: true })
  link.close()
  await link.ended
  await quiet()
  expect(rim.state.workers.size).toBe(0)
})

test('anything but the inventory that was announced is refused', async () => {
  const link = rim.openLink({ workerId: w1, inventoryFollows: true })
  link.say({ $case: 'heartbeat', value: { ...pulse, loopLagMs: 1 } })
  await expect(link.ended.catch((error: unknown) => readRpcFailure(error))).resolves.toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'INVENTORY_INCOMPLETE',
  })
})

test('a worker says how late its loop is, and how the one before it ended', async () => {
  const before = rim.openLink({ workerId: 'w0' })
  await submit('j', 1)
  before.cut()
  await quiet()
  const memory = { memoryBytes: 96_000_000n, memoryLimitBytes: 100_000_000n }
  const predecessor = { workerId: 'w0', exitCode: undefined, signal: 'SIGKILL', ...memory }
  const link = rim.openLink({ workerId: w1, predecessor })
  link.say({ $case: 'heartbeat', value: { ...pulse, loopLagMs: 70 } })
  await quiet()
  expect([...rim.state.workers.keys()]).toEqual([w1])
  expect(rim.state.workers.get(w1)?.pulse).toMatchObject({ loopLagMs: 70, heldBytes: 1, spilledBytes: 2 })
  expect(rim.state.jobs.get('j' as JobId)?.tasks[0]).toMatchObject({
    losses: 1,
    lastEnd: { workerId: 'w0', signal: 'SIGKILL', memory: { bytes: 96_000_000, limitBytes: 100_000_000 } },
  })
})

test('a worker of another version hears whom to upgrade, whatever else it says of itself', async () => {
  const hello = { protocolVersion: 99, packageVersion: '9.9.9' }
  const link = rim.openLink({ workerId: '', hello, addresses: [] })
  const failure = readRpcFailure(await link.ended.catch((error: unknown) => error))
  expect(failure).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PROTOCOL_MISMATCH' })
  expect(failure.message).toContain('upgrade the scheduler')
})
