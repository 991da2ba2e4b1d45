import { fileURLToPath } from 'node:url'

import { nodeFlagsOf } from './node-flags.js'
import { type RunningService, runService } from './run-service.js'
import { serviceRestarts, startSupervisor } from './supervise.js'

/**
 * The life of a service process, below a supervisor when COSTATE_SUPERVISE asks for one: the same program twice, where the
 * one above loads nothing heavy and starts the one below again when it crashed.
 */
export async function runSupervised(
  name: string,
  programUrl: string,
  start: () => Promise<RunningService>,
): Promise<void> {
  if (!process.env['COSTATE_SUPERVISE'] || process.env['COSTATE_SUPERVISED']) return runService(name, start)
  await runService(`${name} supervisor`, async () =>
    startSupervisor({
      program: fileURLToPath(programUrl),
      args: process.argv.slice(2),
      nodeFlags: nodeFlagsOf(name),
      instance: process.env['COSTATE_INSTANCE'] ?? name,
      count: 1,
      memoryLimitBytes: 0,
      mintId: () => name,
      ...serviceRestarts,
    }),
  )
}
