import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterEach, beforeAll, expect, test } from 'vitest'
import {
  closeRpcChannel,
  createMeshSecurity,
  createRpcChannel,
  createRpcClient,
  createRpcServer,
  loadSecurity,
  readRpcFailure,
  type Role,
  type Security,
} from './index.js'

const identity = (bytes: Uint8Array) => bytes

const whoami = {
  ask: {
    path: '/test.v1.WhoService/Ask',
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
    options: {},
  },
} as const

const closers: (() => unknown)[] = []
let load: (role: Role) => Promise<Security>
let stranger: Security

async function makeMesh(): Promise<(role: Role) => Promise<Security>> {
  const meshDir = await mkdtemp(join(tmpdir(), 'costate-mtls-'))
  await createMeshSecurity(meshDir, { tls: true })
  return (role) => loadSecurity(meshDir, role)
}

beforeAll(async () => {
  load = await makeMesh()
  stranger = await (await makeMesh())('client')
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function serve(role: Role, address = '127.0.0.1:0'): Promise<string> {
  const server = createRpcServer({ security: await load(role), windowBytes: 1 << 20 })
  server.add(whoami, { ask: async (_, context) => Buffer.from(context.role) }, { ask: ['client', 'worker'] })
  closers.push(() => server.shutdown(0))
  return await server.listen(address)
}

async function ask(address: string, security: Security, serverRole: Role): Promise<string> {
  const channel = createRpcChannel(address, { security, serverRole, kind: 'control' })
  closers.push(() => closeRpcChannel(channel))
  return Buffer.from(await createRpcClient(whoami, channel).ask(Buffer.alloc(0))).toString()
}

/** What becomes of a bare TLS client: the server's first bytes, or why there were none. */
async function handshake(address: string, options: Record<string, unknown>): Promise<string> {
  const { hostname, port } = new URL(`http://${address}`)
  const socket = connect({
    ...options,
    host: hostname,
    port: Number(port),
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
  })
  closers.push(() => socket.destroy())
  return await new Promise((resolve) => {
    socket.on('data', () => resolve('accepted'))
    socket.on('error', (error) => resolve(String(error)))
    socket.on('close', () => resolve('closed'))
  })
}

async function failure(call: Promise<unknown>) {
  return await call.then(() => expect.fail('the call succeeded'), readRpcFailure)
}

test('both ends of one mesh accept each other, by any host name', async () => {
  const address = await serve('scheduler')
  const { port } = new URL(`http://${address}`)
  await expect(ask(address, await load('worker'), 'scheduler')).resolves.toBe('worker')
  await expect(ask(`localhost:${port}`, await load('client'), 'scheduler')).resolves.toBe('client')
})

test('with TLS a server listens off loopback and says where to dial it', async () => {
  const address = await serve('scheduler', '0.0.0.0:0')
  expect(address).not.toContain('0.0.0.0')
  await expect(ask(address, await load('client'), 'scheduler')).resolves.toBe('client')
})

test('a server refuses a client certificate of another mesh, and no certificate', async () => {
  const address = await serve('scheduler')
  const { tls } = await load('client')
  const ca = tls?.caPem
  await expect(handshake(address, { ca, cert: tls?.certPem, key: tls?.keyPem })).resolves.toBe('accepted')
  const foreign = handshake(address, { ca, cert: stranger.tls?.certPem, key: stranger.tls?.keyPem })
  await expect(foreign).resolves.toMatch(/closed|ECONNRESET/)
  await expect(handshake(address, { ca })).resolves.toMatch(/alert certificate required/)
})

test('a client refuses a server of another mesh', async () => {
  const address = await serve('scheduler')
  const answer = await failure(ask(address, stranger, 'scheduler'))
  expect(answer.code).toBe('UNAVAILABLE')
  expect(answer.message).toMatch(/self-signed|verify|issuer/)
})

test('a client refuses a server that shows another role', async () => {
  const address = await serve('worker')
  const answer = await failure(ask(address, await load('client'), 'scheduler'))
  expect(answer.code).toBe('UNAVAILABLE')
  expect(answer.message).toMatch(/certificate names spiffe:\/\/costate\/[0-9a-f]+\/worker, expected .*\/scheduler/)
})

test('a stolen token is worth nothing under the certificate of another role', async () => {
  const address = await serve('scheduler')
  const [worker, client] = [await load('worker'), await load('client')]
  const answer = await failure(ask(address, { ...worker, token: client.token }, 'scheduler'))
  expect(answer).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'CERTIFICATE_MISMATCH' })
  expect(answer.message).toContain('certificate names the role worker, its token the role client')
})

test('a client without TLS gets nowhere', async () => {
  const address = await serve('scheduler')
  const { tls: _, ...plain } = await load('client')
  expect((await failure(ask(address, plain, 'scheduler'))).code).toBe('UNAVAILABLE')
})

test('a client that speaks only TLS 1.1 is refused', async () => {
  const { tls } = await load('client')
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const credentials = { ca: tls?.caPem, cert: tls?.certPem, key: tls?.keyPem }
  await expect(handshake(await serve('scheduler'), { ...credentials, ...old })).resolves.toMatch(/version/)
})
