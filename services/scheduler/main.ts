import { readConfig } from '#libs/config'
import { runSupervised } from '#libs/lifecycle'

import { schedulerConfig } from './config.js'

await runSupervised('scheduler', import.meta.url, async () => {
  const { startScheduler } = await import('./service.js')
  return startScheduler(readConfig(schedulerConfig, process.argv.slice(2), process.env))
})
