import { spawn } from 'node:child_process'
import path from 'node:path'

import { waitForAddress } from '#libs/lifecycle'

import { packageRoot } from './local-mesh.js'

/** A service process that a test adds to a mesh. */
export interface AddedService {
  /** Ends it in order. Resolves with its exit code. */
  stop(): Promise<number | null>
}

/** Under which name a service says in the mesh folder where it listens; a worker tells only the scheduler. */
const saysAddressAs = {
  scheduler: 'scheduler',
  'checkpoint-store': 'checkpointStore',
  'slurm-provisioner': 'slurm-provisioner',
  worker: undefined,
} as const
const startTimeoutMs = 30_000

/**
 * Starts a service of the build beside those of the mesh; resolves when it has said where it listens, and a worker at once. `within` are
 * words before the command, such as those that run it elsewhere.
 *
 * @throws Error with what the service wrote when it ends instead.
 */
export async function addService(
  meshDir: string,
  service: keyof typeof saysAddressAs,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  within: readonly string[] = [],
): Promise<AddedService> {
  const program = path.join(packageRoot, 'dist', 'services', service, 'main.cjs')
  const [command = process.execPath, ...words] = [...within, process.execPath, program, '--mesh-dir', meshDir, ...args]
  const child = spawn(command, words, {
    stdio: ['pipe', 'ignore', 'pipe'],
    // It ends with this process, however this process ends.
    env: { ...process.env, ...env, COSTATE_OWNED: '1' },
  })
  let written = ''
  child.stderr.on('data', (data: Buffer) => (written += data.toString()))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const endedEarly = ended.then((code) => {
    throw new Error(`the ${service} ended with ${code ?? 'a signal'} before it served:\n${written}`)
  })
  endedEarly.catch(() => undefined)
  const said = saysAddressAs[service]
  if (said) await Promise.race([waitForAddress(meshDir, said, AbortSignal.timeout(startTimeoutMs)), endedEarly])
  return {
    stop: async () => {
      child.kill('SIGTERM')
      return await ended
    },
  }
}
