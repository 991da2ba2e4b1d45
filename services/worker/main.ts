import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

import { readConfig } from '#libs/config'
import { nodeFlagsOf, readSupervised, runService, startSupervisor } from '#libs/lifecycle'

import { workerConfig } from './config.js'

// The same program twice: the supervisor, which loads nothing heavy, and below it the workers that it keeps.
const config = () => readConfig(workerConfig, process.argv.slice(2), process.env)

if (process.env['COSTATE_SUPERVISED']) {
  // Marked in small steps, a heap of 15 MB slows everything beside it for tens of milliseconds, with each burst of small objects: their
  // bytes count. Marked at once, by all threads, it takes five.
  setFlagsFromString('--no-incremental-marking')
  void runService('worker', async (signal) => {
    const { startServiceTelemetry } = await import('#libs/telemetry')
    startServiceTelemetry('worker')
    const { startWorker } = await import('./service.js')
    const slotProgram = new URL('./exec/slot-main.cjs', import.meta.url)
    return startWorker(config(), { slotProgram, supervised: readSupervised(process.env), signal })
  })
} else {
  void runService('worker supervisor', async () => {
    const { count, memoryLimit, slurmJobId } = config()
    // Jobs on several machines write into one run folder.
    const ofJob = slurmJobId === '' ? 'worker' : `worker-${slurmJobId}-${process.env['SLURM_NODEID'] ?? '0'}`
    return startSupervisor({
      program: fileURLToPath(import.meta.url),
      args: process.argv.slice(2),
      nodeFlags: nodeFlagsOf('worker'),
      instance: process.env['COSTATE_INSTANCE'] ?? ofJob,
      count,
      memoryLimitBytes: memoryLimit,
      mintId: () => `w-${randomUUID().slice(0, 8)}`,
    })
  })
}
