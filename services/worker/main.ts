import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import { readConfig } from '#libs/config'
import { readSupervised, runService, startSupervisor } from '#libs/lifecycle'

import { workerConfig } from './config.js'

// The same program twice: the supervisor, which loads nothing heavy, and below it the workers that it keeps.
const config = () => readConfig(workerConfig, process.argv.slice(2), process.env)

if (process.env['COSTATE_SUPERVISED']) {
  const { startWorker } = await import('./service.js')
  const slotProgram = new URL('./exec/slot-main.js', import.meta.url)
  const supervised = readSupervised(process.env)
  await runService('worker', (signal) => startWorker(config(), { slotProgram, supervised, signal }))
} else {
  await runService('worker supervisor', async () => {
    const { count, memoryLimit } = config()
    const telemetry = fileURLToPath(new URL('../../libs/telemetry/register.js', import.meta.url))
    return startSupervisor({
      program: fileURLToPath(import.meta.url),
      nodeArgs: ['--import', telemetry],
      args: process.argv.slice(2),
      instance: process.env['COSTATE_INSTANCE'] ?? 'worker',
      count,
      memoryLimitBytes: memoryLimit,
      mintId: () => `w-${randomUUID().slice(0, 8)}`,
    })
  })
}
