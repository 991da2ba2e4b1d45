import { readConfig } from '#libs/config'
import { runService } from '#libs/lifecycle'

import { schedulerConfig } from './config.js'
import { startScheduler } from './service.js'

await runService('scheduler', () => startScheduler(readConfig(schedulerConfig, process.argv.slice(2), process.env)))
