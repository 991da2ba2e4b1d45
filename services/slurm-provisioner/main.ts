import { readConfig } from '#libs/config'
import { runService } from '#libs/lifecycle'
import { startServiceTelemetry } from '#libs/telemetry'

import { provisionerConfig } from './config.js'
import { startProvisioner } from './service.js'

void runService('slurm-provisioner', () => {
  startServiceTelemetry('slurm-provisioner')
  return startProvisioner(readConfig(provisionerConfig, process.argv.slice(2), process.env))
})
