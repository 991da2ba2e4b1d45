import { readConfig } from '#libs/config'
import { runService } from '#libs/lifecycle'

import { checkpointStoreConfig } from './config.js'
import { startCheckpointStore } from './service.js'

await runService('checkpoint-store', () =>
  startCheckpointStore(readConfig(checkpointStoreConfig, process.argv.slice(2), process.env)),
)
