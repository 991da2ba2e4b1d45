import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

import { expect, test } from 'vitest'

import { checkAnswers } from './scheduler-probe.js'

test('where nobody listens, the error says so at once, by address', async () => {
  await expect(checkAnswers(['127.0.0.1:1'])).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'SCHEDULER_UNREACHABLE',
    message: 'the scheduler at 127.0.0.1:1 does not answer (ECONNREFUSED)',
  })
})

test('one address that answers is enough', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  await expect(checkAnswers(['127.0.0.1:1', `127.0.0.1:${(server.address() as AddressInfo).port}`])).resolves.toBe(
    undefined,
  )
  server.close()
})
