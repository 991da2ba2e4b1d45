import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChannel, createClient } from 'nice-grpc'
import { expect, test } from 'vitest'
import { createMeshSecurity, createRpcServer, healthDefinition, loadSecurity, SERVING_STATUS } from './index.js'

test('health alone is served in clear text on an address of its own, and says that the process lives', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'costate-health-'))
  await createMeshSecurity(folder)
  const server = createRpcServer({ security: await loadSecurity(folder, 'scheduler') })
  const channel = createChannel(await server.listenHealth('127.0.0.1:0'))
  const client = createClient(healthDefinition, channel)
  expect((await client.check({ service: '' })).status).toBe(SERVING_STATUS.notServing)
  expect((await client.check({ service: 'liveness' })).status).toBe(SERVING_STATUS.serving)
  server.setServing(true)
  expect((await client.check({ service: '' })).status).toBe(SERVING_STATUS.serving)
  channel.close()
  await server.shutdown(100)
})
