import { readConfig } from '#libs/config'
import { runSupervised } from '#libs/lifecycle'

import { provisionerConfig } from './config.js'

void runSupervised('slurm-provisioner', import.meta.url, async () => {
  const { startServiceTelemetry } = await import('#libs/telemetry')
  startServiceTelemetry('slurm-provisioner')
  const { startProvisioner } = await import('./service.js')
  return startProvisioner(readConfig(provisionerConfig, process.argv.slice(2), process.env))
})
