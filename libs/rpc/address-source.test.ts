import { afterEach, expect, test } from 'vitest'

import { createEchoMesh, failureOf } from './echo-mesh.fixture.js'

const { serve, dial, closeAll } = await createEchoMesh()

afterEach(closeAll)

test('a server that was started again is found where it listens now', async () => {
  const first = await serve()
  let addresses = [first.address]
  const { client } = dial(async () => addresses)
  await client.ask({ x: 1 })
  await first.server.shutdown(0)
  const second = await serve({ ask: async () => ({ second: true }) })
  addresses = [second.address]
  await expect.poll(() => client.ask({ x: 2 }).catch(() => undefined), { timeout: 10_000 }).toEqual({ second: true })
})

test('a source that knows no address fails the call with its reason', async () => {
  const { client } = dial(async () => {
    throw new Error('nobody has said where the scheduler listens')
  })
  const failure = await failureOf(client.ask({}, { deadline: new Date(Date.now() + 3_000) }))
  expect(failure.message).toContain('nobody has said where the scheduler listens')
})

test('an address off loopback is refused without TLS, also when it comes later', async () => {
  const { client } = dial(async () => ['10.1.2.3:4'])
  const failure = await failureOf(client.ask({}, { deadline: new Date(Date.now() + 3_000) }))
  expect(failure.message).toContain('Refusing to dial 10.1.2.3:4 without TLS')
})
