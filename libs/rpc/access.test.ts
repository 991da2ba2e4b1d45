import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials, makeGenericClientConstructor, Metadata as GrpcMetadata } from '@grpc/grpc-js'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { createEchoMesh, failureOf } from './echo-mesh.fixture.js'
import { createMeshSecurity, createRpcServer, loadSecurity } from './index.js'

const { serve, dial, load, schedulerSecurity, clientSecurity, closeAll } = await createEchoMesh()

afterEach(closeAll)

test.each([
  ['no token', undefined, 'TOKEN_MISSING'],
  ['garbage', 'Bearer nonsense', 'TOKEN_INVALID'],
  ['another scheme', 'Basic dXNlcjpwdw==', 'TOKEN_MISSING'],
])('a caller with %s is UNAUTHENTICATED on unary calls and streams, with ErrorInfo', async (_, header, reason) => {
  const { address } = await serve()
  const Client = makeGenericClientConstructor({}, '')
  const raw = new Client(address, credentials.createInsecure())
  onTestFinished(() => raw.close())
  const metadata = new GrpcMetadata()
  if (header !== undefined) metadata.set('authorization', header)
  const identity = (bytes: Buffer) => bytes
  const unary = new Promise((resolve, reject) => {
    raw.makeUnaryRequest(
      '/test.v1.EchoService/Ask',
      identity,
      identity,
      Buffer.from('{}'),
      metadata,
      (error, value) => {
        if (error) reject(error)
        else resolve(value)
      },
    )
  })
  const stream = new Promise((resolve, reject) => {
    raw
      .makeBidiStreamRequest('/test.v1.EchoService/Chat', identity, identity, metadata)
      .on('error', reject)
      .on('end', resolve)
      .resume()
  })
  for (const call of [unary, stream]) {
    await expect(failureOf(call)).resolves.toMatchObject({ code: 'UNAUTHENTICATED', reason })
  }
})

test('a tampered token and a token of another mesh are UNAUTHENTICATED', async () => {
  const { address } = await serve()
  const otherDir = await mkdtemp(join(tmpdir(), 'costate-rpc-'))
  await createMeshSecurity(otherDir)
  const other = await loadSecurity(otherDir, 'client')
  const promoted = clientSecurity.token.replace('.client.', '.admin.')
  for (const token of [other.token, promoted]) {
    const { client } = dial(address, { ...clientSecurity, token })
    await expect(failureOf(client.ask({}))).resolves.toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'TOKEN_INVALID',
    })
  }
})

test('a role that is not listed is PERMISSION_DENIED', async () => {
  const { address } = await serve()
  const { client } = dial(address, await load('observer'))
  await expect(failureOf(client.ask({}))).resolves.toMatchObject({
    code: 'PERMISSION_DENIED',
    reason: 'ROLE_NOT_ALLOWED',
    metadata: { role: 'observer', method: '/test.v1.EchoService/Ask' },
  })
})

test('a method without roles is denied to everybody', async () => {
  const { address } = await serve()
  for (const role of ['client', 'admin', 'scheduler'] as const) {
    const { client } = dial(address, await load(role))
    await expect(failureOf(client.hidden({}))).resolves.toMatchObject({ code: 'PERMISSION_DENIED' })
  }
})

test('a server refuses to listen off loopback without TLS, and a client to dial', async () => {
  const server = createRpcServer({ security: schedulerSecurity })
  await expect(server.listen('0.0.0.0:0')).rejects.toThrow(/without TLS.*createMeshSecurity/s)
  expect(() => dial('compute-7.cluster:4000')).toThrow(/without TLS/)
  expect(() => dial(['127.0.0.1:1', 'compute-7.cluster:4000'])).toThrow(/compute-7.cluster:4000/)
})

test('a port in use is named, with advice', async () => {
  const { address } = await serve()
  const second = createRpcServer({ security: schedulerSecurity })
  await expect(second.listen(address)).rejects.toThrow(`${address} is in use by another process. Stop that process`)
  await expect(second.listen('127.0.0.1')).rejects.toThrow("'127.0.0.1' is no address")
})
