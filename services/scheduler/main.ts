import { readConfig } from '#libs/config'
import { runSupervised } from '#libs/lifecycle'

import { schedulerConfig } from './config.js'

void runSupervised('scheduler', import.meta.url, async () => {
  const { startServiceTelemetry } = await import('#libs/telemetry')
  startServiceTelemetry('scheduler')
  const { startScheduler } = await import('./service.js')
  return startScheduler(readConfig(schedulerConfig, process.argv.slice(2), process.env))
})
