import { ClientError, Status } from 'nice-grpc-common'
import { afterEach, expect, test, vi } from 'vitest'

import { Durability, JobSpec, makeHello, type SchedulerServiceDefinition, type SessionRequest } from '#libs/proto'
import type { RpcClient } from '#libs/rpc'
import type { MeshError } from '#libs/task'

import { ClientSession } from './session.js'

type Client = RpcClient<typeof SchedulerServiceDefinition>
type Submit = Extract<NonNullable<SessionRequest['message']>, { $case: 'submit' }>['value']

const welcome = { hello: makeHello(), epoch: 1n, heartbeatIntervalMs: 60_000, meshName: 'test' }

/** A scheduler that does with each submit what is given, and acknowledges it when that returns. */
function openSession(onSubmit: (submit: Submit) => unknown) {
  const dialled: SessionRequest[][] = []
  const lost: MeshError[] = []
  let resumes = 0
  const client = {
    async *session(requests: AsyncIterable<SessionRequest>) {
      const heard: SessionRequest[] = []
      dialled.push(heard)
      for await (const request of requests) {
        heard.push(request)
        const { message } = request
        if (message?.$case === 'hello') yield { message: { $case: 'welcome', value: welcome } }
        if (message?.$case !== 'submit' || message.value.more) continue
        const refusal = onSubmit(message.value)
        if (refusal instanceof Error) throw refusal
        const { requestId, job } = message.value
        const receipt = { jobId: job?.jobId ?? '', durability: message.value.durability ?? Durability.FSYNCED }
        yield refusal ?? { message: { $case: 'submitted', value: { requestId, receipt } } }
      }
    },
  } as unknown as Client
  const session = new ClientSession(
    client,
    { said: () => undefined, resumed: () => resumes++, lost: (error) => lost.push(error) },
    { clientName: 'test', openWithinMs: 60_000 },
  )
  return { session, dialled, lost, resumes: () => resumes }
}

const jobNamed = (jobId: string) => JobSpec.fromPartial({ jobId, tasks: [{ input: Buffer.alloc(1) }] })

test('a submit that breaks the stream for its size is given up with the cause, and the session goes on', async () => {
  // As grpc-js itself says it, on either side.
  const refusal = new ClientError('/session', Status.RESOURCE_EXHAUSTED, 'Received message larger than max')
  const { session, dialled, lost, resumes } = openSession((submit) =>
    submit.job?.jobId === 'large' ? refusal : undefined,
  )
  await session.opened
  await expect(session.submit(jobNamed('large'))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
  await expect(session.submit(jobNamed('small'))).resolves.toBe('fsynced')
  expect(dialled).toHaveLength(2)
  expect(resumes()).toBe(2)
  expect(lost).toEqual([])
  session.close()
})

test('a submit asks for its level, and hears of the one that was reached', async () => {
  const asked: (Durability | undefined)[] = []
  const { session } = openSession(({ durability }) => void asked.push(durability))
  await session.opened
  expect(await session.submit(jobNamed('usual'))).toBe('fsynced')
  expect(await session.submit(jobNamed('quick'), { durability: Durability.MEMORY })).toBe('memory')
  expect(asked).toEqual([undefined, Durability.MEMORY])
  session.close()
})

/** A scheduler that comes and goes. */
function openUnsteadySession({ isAway = false } = {}) {
  const lost: MeshError[] = []
  const heard: SessionRequest['message'][] = []
  const scheduler = { isAway, cut: (): void => undefined, dials: 0, heard }
  const client = {
    async *session(requests: AsyncIterable<SessionRequest>) {
      scheduler.dials++
      void hear(requests)
      if (scheduler.isAway) throw new ClientError('/session', Status.UNAVAILABLE, 'ECONNREFUSED')
      yield { message: { $case: 'welcome', value: welcome } }
      await new Promise<void>((resolve) => (scheduler.cut = resolve))
      throw new ClientError('/session', Status.UNAVAILABLE, 'the link broke')
    },
  } as unknown as Client
  async function hear(requests: AsyncIterable<SessionRequest>): Promise<void> {
    for await (const { message } of requests) heard.push(message)
  }
  const events = { said: () => undefined, resumed: () => undefined, lost: (error: MeshError) => lost.push(error) }
  const session = new ClientSession(client, events, { clientName: 'test', openWithinMs: 5_000 })
  const goAway = (): void => {
    scheduler.isAway = true
    scheduler.cut()
  }
  return { session, scheduler, goAway, lost }
}

afterEach(() => {
  vi.useRealTimers()
})

test('a scheduler that was there may be away for long: no future is given up', async () => {
  vi.useFakeTimers()
  const { session, scheduler, goAway, lost } = openUnsteadySession()
  await session.opened
  goAway()
  await vi.advanceTimersByTimeAsync(50_000)
  expect(lost).toEqual([])
  scheduler.isAway = false
  await vi.advanceTimersByTimeAsync(2_000)
  const { dials } = scheduler
  await vi.advanceTimersByTimeAsync(20_000)
  // It is open again: nobody dials.
  expect(scheduler.dials).toBe(dials)
  goAway()
  await vi.advanceTimersByTimeAsync(62_000)
  expect(lost).toMatchObject([{ code: 'UNAVAILABLE' }])
  session.close()
})

test('a scheduler that never answered is given up soon', async () => {
  vi.useFakeTimers()
  const { session, lost } = openUnsteadySession({ isAway: true })
  await vi.advanceTimersByTimeAsync(7_000)
  expect(lost).toMatchObject([{ code: 'UNAVAILABLE' }])
  await expect(session.opened).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

const toldOf = (heard: readonly SessionRequest['message'][]): (string | readonly string[])[] =>
  heard.flatMap<string | readonly string[]>((message) => {
    if (message?.$case === 'release') return [message.value.objectIds]
    return message?.$case === 'cancel' ? [message.value.jobId] : []
  })

test('what is given up one by one is told at once, and a million names in messages that are not too large', async () => {
  const { session, scheduler } = openUnsteadySession()
  await session.opened
  for (let index = 0; index < 3; index++) session.release([`j/${index}`])
  await expect.poll(() => toldOf(scheduler.heard)).toEqual([['j/0', 'j/1', 'j/2']])
  session.release(Array.from({ length: 120_000 }, (_, index) => `j/${index}`))
  await expect
    .poll(() =>
      toldOf(scheduler.heard)
        .slice(1)
        .map(({ length }) => length),
    )
    .toEqual([50_000, 50_000, 20_000])
  session.close()
})

test('what is given up or cancelled while the scheduler is away is told when it is back', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const { session, scheduler, goAway } = openUnsteadySession()
  await session.opened
  goAway()
  await vi.advanceTimersByTimeAsync(100)
  session.release(['j/1'])
  session.tell({ $case: 'cancel', value: { jobId: 'k', indices: [] } })
  await vi.advanceTimersByTimeAsync(5_000)
  expect(toldOf(scheduler.heard)).toEqual([])
  scheduler.isAway = false
  await vi.advanceTimersByTimeAsync(2_000)
  expect(toldOf(scheduler.heard).sort()).toEqual([['j/1'], 'k'])
  session.close()
})
