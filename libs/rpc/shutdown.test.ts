import { afterEach, expect, test } from 'vitest'
import { createEchoMesh, drainStream, endless, failureOf, gate } from './echo-mesh.fixture.js'
import { SERVING_STATUS } from './index.js'

const { serve, dial, clientSecurity, closeAll } = await createEchoMesh()

afterEach(closeAll)

test('shutdown ends an endless stream with UNAVAILABLE, whether or not its handler listens', async () => {
  const stubborn = new Promise<never>(() => undefined)
  const started = [gate(), gate(), gate()]
  const { server, address } = await serve({
    // Waits for the client, which never says more.
    async *chat(requests) {
      for await (const request of requests) {
        yield request
        started[0]?.open()
      }
    },
    // Returns in order when told.
    async *list(_, { signal }) {
      yield {}
      started[1]?.open()
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    },
    // Hears nothing.
    upload: async () => {
      started[2]?.open()
      return await stubborn
    },
  })
  const { client } = dial(address)
  const calls = [drainStream(client.chat(endless())), drainStream(client.list({})), client.upload(endless())]
  const failures = calls.map(failureOf)
  await Promise.all(started.map(({ opened }) => opened))
  await server.shutdown(100)
  for (const failure of failures) {
    await expect(failure).resolves.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'SHUTTING_DOWN',
      retryDelayMs: 1_000,
    })
  }
})

test('shutdown lets a running unary call finish and refuses new ones with a hint when to retry', async () => {
  const [started, finish] = [gate(), gate()]
  const { server, address } = await serve({
    ask: async (request) => {
      started.open()
      await finish.opened
      return request
    },
  })
  const { client, health } = dial(address)
  const running = client.ask({ x: 1 })
  await started.opened
  const ended = server.shutdown(10_000)
  await expect(failureOf(client.list({})[Symbol.asyncIterator]().next())).resolves.toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'SHUTTING_DOWN',
    retryDelayMs: 1_000,
  })
  await expect(health.check({ service: '' })).resolves.toEqual({ status: SERVING_STATUS.notServing })
  finish.open()
  await expect(running).resolves.toEqual({ x: 1 })
  await ended
})

test('health is for who has a token, covers the server and each service, and can be watched', async () => {
  const { server, address } = await serve()
  const { health: stranger } = dial(address, { ...clientSecurity, token: 'none' })
  await expect(failureOf(stranger.check({ service: '' }))).resolves.toMatchObject({ code: 'UNAUTHENTICATED' })
  const strangersWatch = stranger.watch({ service: '' })[Symbol.asyncIterator]()
  await expect(failureOf(strangersWatch.next())).resolves.toMatchObject({ code: 'UNAUTHENTICATED' })
  const { health } = dial(address)
  await expect(health.check({ service: '' })).resolves.toEqual({ status: SERVING_STATUS.notServing })
  const watch = health.watch({ service: 'test.v1.EchoService' })[Symbol.asyncIterator]()
  await expect(watch.next()).resolves.toMatchObject({ value: { status: SERVING_STATUS.notServing } })
  server.setServing(true)
  await expect(watch.next()).resolves.toMatchObject({ value: { status: SERVING_STATUS.serving } })
  await expect(health.check({ service: '' })).resolves.toEqual({ status: SERVING_STATUS.serving })
  await expect(failureOf(health.check({ service: 'nope' }))).resolves.toMatchObject({ code: 'NOT_FOUND' })
  const unknown = health.watch({ service: 'nope' })[Symbol.asyncIterator]()
  await expect(unknown.next()).resolves.toMatchObject({ value: { status: SERVING_STATUS.serviceUnknown } })
  const last = watch.next()
  const ended = server.shutdown(1_000)
  await expect(last).resolves.toMatchObject({ value: { status: SERVING_STATUS.notServing } })
  await expect(failureOf(watch.next())).resolves.toMatchObject({ code: 'UNAVAILABLE' })
  await ended
})
