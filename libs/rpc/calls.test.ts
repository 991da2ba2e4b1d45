import { connect } from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import { createEchoMesh, drainStream, echo, failureOf, gate } from './echo-mesh.fixture.js'
import { readRpcFailure, type RpcCallContext, rpcError } from './index.js'

const { serve, dial, clientSecurity, closeAll } = await createEchoMesh()

afterEach(closeAll)

test('all four kinds of calls go through', async () => {
  const { client } = dial((await serve()).address)
  await expect(client.ask({ x: 1 })).resolves.toEqual({ x: 1 })
  await expect(drainStream(client.list({ x: 1 }))).resolves.toBe(1)
  const three = async function* () {
    yield* [{ n: 1 }, { n: 2 }, { n: 3 }]
  }
  await expect(client.upload(three())).resolves.toEqual({ count: 3 })
  await expect(drainStream(client.chat(three()))).resolves.toBe(3)
})

test('the handler sees role and deadline, and never the token', async () => {
  const seen: RpcCallContext[] = []
  const { address } = await serve({
    ask: async (request, context) => {
      seen.push(context)
      return request
    },
  })
  const { client } = dial(address)
  const deadline = new Date(Date.now() + 5_000)
  await client.ask({}, { deadline })
  await client.ask({})
  const [first, second] = seen
  expect(first?.role).toBe('client')
  expect(Math.abs((first?.deadline?.getTime() ?? 0) - deadline.getTime())).toBeLessThan(1_000)
  expect((second?.deadline?.getTime() ?? 0) - Date.now()).toBeGreaterThan(20_000)
  expect([...(first?.metadata ?? [])].map(([key]) => key)).not.toContain('authorization')
})

test('a stream has no deadline unless given one', async () => {
  const deadlines: (Date | undefined)[] = []
  const { address } = await serve({
    async *list(request, { deadline }) {
      deadlines.push(deadline)
      yield request
    },
  })
  const { client } = dial(address)
  await drainStream(client.list({}))
  await drainStream(client.list({}, { deadline: 10_000 }))
  expect(deadlines).toEqual([undefined, expect.any(Date)])
})

test('a call that outlives its deadline is DEADLINE_EXCEEDED and its handler is told', async () => {
  const told = gate()
  const { address } = await serve({
    ask: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          told.open()
          reject(new Error('too late'))
        })
      }),
  })
  const { client } = dial(address)
  await expect(failureOf(client.ask({}, { deadline: 50 }))).resolves.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  await told.opened
})

test('a client that cancels reads CANCELLED and aborts the signal of the handler', async () => {
  const [started, aborted] = [gate(), gate()]
  const { address } = await serve({
    ask: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.open()
          reject(new Error('nobody listens'))
        })
        started.open()
      }),
  })
  const cancel = new AbortController()
  const call = failureOf(dial(address).client.ask({}, { signal: cancel.signal }))
  await started.opened
  cancel.abort()
  await expect(call).resolves.toMatchObject({ code: 'CANCELLED' })
  await aborted.opened
})

test('a client that resets its upload or dies does not look like one that has finished', async () => {
  const outcomes: Promise<unknown>[] = []
  let arrived = gate()
  const { address } = await serve({
    upload: async (requests, { signal }) => {
      const read = async () => {
        for await (const _ of requests) arrived.open()
        return signal.aborted ? 'aborted' : 'finished'
      }
      outcomes.push(read().catch((error: unknown) => readRpcFailure(error).code))
      return await new Promise<never>(() => undefined)
    },
  })
  const headers = {
    ':method': 'POST',
    ':path': echo.upload.path,
    'content-type': 'application/grpc',
    authorization: `Bearer ${clientSecurity.token}`,
  }
  for (const end of ['reset', 'die'] as const) {
    arrived = gate()
    const session = connect(`http://${address}`)
    const stream = session.request(headers)
    stream.on('error', () => undefined)
    stream.write(Buffer.from([0, 0, 0, 0, 2, ...Buffer.from('{}')]))
    await arrived.opened
    if (end === 'reset') stream.destroy(new Error('reset'))
    else session.destroy()
    await expect(outcomes.at(-1)).resolves.toBe('CANCELLED')
    session.destroy()
  }
})

test('only idempotent calls are repeated, and only when the server was unavailable', async () => {
  const counts = { ask: 0, read: 0, list: 0 }
  const unavailable = () => rpcError('UNAVAILABLE', 'NO_LEADER', 'no leader yet')
  const { address } = await serve({
    ask: () => Promise.reject((counts.ask++, unavailable())),
    read: (request) => (++counts.read < 3 ? Promise.reject(unavailable()) : Promise.resolve(request)),
    async *list() {
      counts.list += 1
      throw unavailable()
    },
  })
  const { client } = dial(address)
  await expect(failureOf(client.ask({}))).resolves.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(client.read({ x: 1 })).resolves.toEqual({ x: 1 })
  await expect(failureOf(drainStream(client.list({})))).resolves.toMatchObject({ code: 'UNAVAILABLE' })
  expect(counts).toEqual({ ask: 1, read: 3, list: 1 })
})

test('a list of addresses reaches the first server that answers', async () => {
  const gone = await serve()
  await gone.server.shutdown(0)
  const { address } = await serve()
  const { client } = dial([gone.address, address.replace('127.0.0.1', 'localhost')])
  await expect(client.ask({ x: 1 })).resolves.toEqual({ x: 1 })
})

test('the order of a list decides, not which name is looked up first', async () => {
  const [first, second] = [await serve({ ask: async () => ({ n: 1 }) }), await serve({ ask: async () => ({ n: 2 }) })]
  const byName = first.address.replace('127.0.0.1', 'localhost')
  await expect(dial([byName, second.address]).client.ask({})).resolves.toEqual({ n: 1 })
  await expect(dial([second.address, byName]).client.ask({})).resolves.toEqual({ n: 2 })
})

test('a server that is not there is UNAVAILABLE', async () => {
  const gone = await serve()
  await gone.server.shutdown(0)
  await expect(failureOf(dial(gone.address).client.ask({}))).resolves.toMatchObject({ code: 'UNAVAILABLE' })
})
