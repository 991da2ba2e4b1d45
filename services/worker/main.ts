import { fileURLToPath } from 'node:url'

import { readConfig } from '#libs/config'
import { runService, startSupervisor } from '#libs/lifecycle'

import { workerConfig } from './config.js'

// The same program twice: the supervisor, which loads nothing heavy, and below it the workers that it keeps.
const config = () => readConfig(workerConfig, process.argv.slice(2), process.env)

if (process.env['COSTATE_SUPERVISED']) {
  const { startWorker } = await import('./service.js')
  await runService('worker', () => startWorker(config(), new URL('./exec/thread-main.js', import.meta.url)))
} else {
  await runService('worker supervisor', async () => {
    const { count, memoryLimit } = config()
    const telemetry = fileURLToPath(new URL('../../libs/telemetry/register.js', import.meta.url))
    return startSupervisor({
      program: fileURLToPath(import.meta.url),
      nodeArgs: ['--import', telemetry],
      args: process.argv.slice(2),
      count,
      memoryLimitBytes: memoryLimit,
    })
  })
}
