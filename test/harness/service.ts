import { spawn } from 'node:child_process'
import path from 'node:path'

import { packageRoot } from './local-mesh.js'
import { waitForFile } from './marker-file.js'

/** A service process that a test adds to a mesh. */
export interface AddedService {
  /** Ends it in order. Resolves with its exit code. */
  stop(): Promise<number | null>
}

/**
 * Starts a service of the build beside those of the mesh; resolves when it has said where it listens.
 *
 * @throws Error with what the service wrote when it ends instead.
 */
export async function addService(
  meshDir: string,
  service: 'slurm-provisioner' | 'scheduler' | 'checkpoint-store' | 'worker',
  args: readonly string[] = [],
): Promise<AddedService> {
  const program = path.join(packageRoot, 'dist', 'services', service, 'main.js')
  const child = spawn(process.execPath, [program, '--mesh-dir', meshDir, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    // It ends with this process, however this process ends.
    env: { ...process.env, COSTATE_OWNED: '1' },
  })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const endedEarly = ended.then((code) => {
    throw new Error(`the ${service} ended with ${code ?? 'a signal'} before it served:\n${said}`)
  })
  endedEarly.catch(() => undefined)
  await Promise.race([waitForFile(path.join(meshDir, 'addresses', `${service}.json`)), endedEarly])
  return {
    stop: async () => {
      child.kill('SIGTERM')
      return await ended
    },
  }
}
