import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { closeRpcChannel, createMeshSecurity, createRpcChannel, createRpcClient, createRpcServer } from './index.js'
import { type LargeMessage, loadSecurity, type RpcChannelOptions, type Security } from './index.js'

/** Messages of which even ones are large. */
function serialize(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  if (text.length % 2 === 1) return bytes
  const large: LargeMessage = { byteLength: bytes.byteLength, writeTo: (target, at) => void bytes.copy(target, at) }
  return large as unknown as Uint8Array
}
const deserialize = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const definition = {
  echo: {
    path: '/costate.test.v1.EchoService/Echo',
    requestStream: true,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseStream: true,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
    options: {},
  },
} as const

const closers: (() => unknown)[] = []
let plain: Security
let secure: Security

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'costate-large-'))
  await createMeshSecurity(folder)
  plain = await loadSecurity(folder, 'worker')
  await createMeshSecurity(folder, { tls: true })
  secure = await loadSecurity(folder, 'worker')
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

test.each<[RpcChannelOptions['kind'], 'clear text' | 'TLS']>([
  ['bulk', 'clear text'],
  ['bulk', 'TLS'],
  ['control', 'clear text'],
])('large messages arrive whole and in order among small ones on a %s channel in %s', async (kind, transport) => {
  const security = transport === 'TLS' ? secure : plain
  const server = createRpcServer({ security })
  server.add(
    definition,
    {
      echo: async function* (requests: AsyncIterable<string>) {
        yield* requests
      },
    },
    { echo: ['worker'] },
  )
  closers.push(() => server.shutdown(0))
  const channel = createRpcChannel(await server.listen('127.0.0.1:0'), { security, serverRole: 'worker', kind })
  closers.push(() => closeRpcChannel(channel))
  const sent = [2, 400_001, 400_000, 1_000_000, 3, 600_000, 90_000, 2].map((length, k) => `${k}`.repeat(length))
  // The memory of a frame may be used again as soon as it is free: the same calls run beside each other.
  const calls = [1, 2, 3].map(async () => {
    const requests = async function* (): AsyncGenerator<string> {
      yield* sent
    }
    const got: string[] = []
    for await (const text of createRpcClient(definition, channel).echo(requests())) got.push(text)
    return got.map((text) => `${text.length} × ${text[0]}, ${new Set(text).size === 1}`)
  })
  const expected = sent.map((text) => `${text.length} × ${text[0]}, true`)
  expect(await Promise.all(calls)).toEqual([expected, expected, expected])
})
