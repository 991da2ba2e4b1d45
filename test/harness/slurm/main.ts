import { parseArgs } from 'node:util'

import { installSlurm } from './packages.js'
import { startSlurmLab } from './slurm-lab.js'

/** A cluster to try things on by hand: it runs until it is told to end. */
const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '4' }, speed: { type: 'string', default: '1' } },
})
const missing = await installSlurm()
if (missing !== undefined) {
  process.stderr.write(`there is no SLURM here: ${missing}\n`)
  process.exit(1)
}
const lab = await startSlurmLab({ nodes: Number(values.nodes), speed: Number(values.speed) })
process.stdout.write(
  `a SLURM of ${values.nodes} nodes runs until Ctrl-C; in another shell:\n\n  export SLURM_CONF=${lab.env['SLURM_CONF']}\n  sinfo\n\n`,
)
await new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve)
})
await lab.close()
process.exit(0)
