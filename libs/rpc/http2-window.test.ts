import { mkdtemp } from 'node:fs/promises'
import { type ClientHttp2Session, connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ServerCredentials } from '@grpc/grpc-js'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { withHttp2Window } from './http2-window.js'
import { createMeshSecurity, createRpcServer, loadSecurity, type Security } from './index.js'

const DEFAULT_WINDOW_BYTES = 65_535
const WINDOW_BYTES = 8 * 2 ** 20
const closers: (() => unknown)[] = []
let plain: Security
let secure: Security

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'costate-window-'))
  await createMeshSecurity(folder)
  plain = await loadSecurity(folder, 'worker')
  await createMeshSecurity(folder, { tls: true })
  secure = await loadSecurity(folder, 'worker')
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** What the server announces: SETTINGS_INITIAL_WINDOW_SIZE, and the connection's window after its WINDOW_UPDATE. */
async function announced(session: ClientHttp2Session): Promise<{ stream: number; connection: number }> {
  closers.push(() => session.destroy())
  const settings = await new Promise<{ initialWindowSize?: number }>((resolve, reject) => {
    session.on('remoteSettings', resolve).on('error', reject)
  })
  // A round trip: what the server sent at the start has arrived before the answer.
  await new Promise<void>((resolve) => session.ping(() => resolve()))
  return { stream: settings.initialWindowSize ?? 0, connection: session.state.remoteWindowSize ?? 0 }
}

async function serve(security: Security, windowBytes?: number): Promise<string> {
  const server = createRpcServer({ security, ...(windowBytes !== undefined && { windowBytes }) })
  closers.push(() => server.shutdown(0))
  return await server.listen('127.0.0.1:0')
}

test('a server announces the window that it was given, per stream and per connection', async () => {
  const address = await serve(plain, WINDOW_BYTES)
  await expect(announced(connect(`http://${address}`))).resolves.toEqual({
    stream: WINDOW_BYTES,
    connection: WINDOW_BYTES,
  })
})

test('a server with TLS does so too', async () => {
  const address = await serve(secure, WINDOW_BYTES)
  const { tls } = secure
  const session = connect(`https://${address}`, {
    ...(tls && { ca: tls.caPem, cert: tls.certPem, key: tls.keyPem }),
    checkServerIdentity: () => undefined,
  })
  await expect(announced(session)).resolves.toEqual({ stream: WINDOW_BYTES, connection: WINDOW_BYTES })
})

test('other servers of the process keep their window', async () => {
  await serve(plain, WINDOW_BYTES)
  const address = await serve(plain)
  const foreign = createServer().listen(0, '127.0.0.1')
  closers.push(() => foreign.close())
  await new Promise((resolve) => foreign.once('listening', resolve))
  const { port } = foreign.address() as AddressInfo
  for (const url of [`http://${address}`, `http://127.0.0.1:${port}`]) {
    const windows = { stream: DEFAULT_WINDOW_BYTES, connection: DEFAULT_WINDOW_BYTES }
    await expect(announced(connect(url))).resolves.toEqual(windows)
  }
})

test('a grpc-js that makes its server otherwise is served as it is, and said so once', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  for (let i = 0; i < 2; i++) {
    await expect(
      withHttp2Window(
        WINDOW_BYTES,
        () => undefined,
        ServerCredentials.createInsecure(),
        async () => 4711,
      ),
    ).resolves.toBe(4711)
  }
  expect(warn).toHaveBeenCalledOnce()
  expect(String(warn.mock.calls[0]?.[0])).toContain('stays at 64 KiB')
  warn.mockRestore()
})
