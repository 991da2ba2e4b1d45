import { readConfig } from '#libs/config'
import { runService } from '#libs/lifecycle'

import { provisionerConfig } from './config.js'
import { startProvisioner } from './service.js'

await runService('slurm-provisioner', () =>
  startProvisioner(readConfig(provisionerConfig, process.argv.slice(2), process.env)),
)
