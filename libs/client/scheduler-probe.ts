import { once } from 'node:events'
import { connect } from 'node:net'

import { MeshError } from '#libs/task'

const answerMs = 5_000

/**
 * Resolves when something listens at one of the addresses (host:port). gRPC would try for long before it gives up, and would
 * not say why.
 *
 * @throws MeshError that says how each address failed.
 */
export async function checkAnswers(addresses: readonly string[]): Promise<void> {
  const attempts = addresses.map(async (address) => {
    try {
      await reach(address)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new Error(`the scheduler at ${address} does not answer (${code ?? message})`, { cause: error })
    }
  })
  try {
    await Promise.any(attempts)
  } catch (error) {
    const messages = (error as AggregateError).errors.map(({ message }: Error) => message)
    throw new MeshError('UNAVAILABLE', 'SCHEDULER_UNREACHABLE', messages.join('; '), { cause: error })
  }
}

async function reach(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`)
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(answerMs) })
  } finally {
    socket.destroy()
  }
}
