import { readConfig } from '#libs/config'
import { runSupervised } from '#libs/lifecycle'

import { checkpointStoreConfig } from './config.js'

void runSupervised('checkpoint-store', import.meta.url, async () => {
  const { startServiceTelemetry } = await import('#libs/telemetry')
  startServiceTelemetry('checkpoint-store')
  const { startCheckpointStore } = await import('./service.js')
  return startCheckpointStore(readConfig(checkpointStoreConfig, process.argv.slice(2), process.env))
})
