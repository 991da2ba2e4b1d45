import type { Command } from 'commander'

import { CliError, exitCodes } from '../cli-error.js'
import { answerTimeoutMs, askProvisioner } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { report } from '../report.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
  readonly dryRun: boolean
}

/** SLURM may be slow to answer. */
const trialTimeoutMs = 60_000

/** `costate slurm script`: what would be submitted for a pool, and what SLURM would say to it. */
export function addSlurmScript(group: Command, terminal: Terminal): void {
  group
    .command('script')
    .description('print the exact job script that would be submitted for a pool')
    .argument('<pool>', 'the pool')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--dry-run', 'ask SLURM instead whether it would take it, and when it would start', false)
    .action(async (pool: string, { mesh, dryRun }: Options, command: Command) => {
      const name = await chooseMesh(mesh)
      if (!dryRun) {
        const found = await askProvisioner(name, (provisioner) =>
          provisioner.getScript({ pool }, { deadline: answerTimeoutMs }),
        )
        return report(terminal, command, found, ({ script }) => script.trimEnd())
      }
      const trial = await askProvisioner(name, (provisioner) =>
        provisioner.verifySubmit({ pool }, { deadline: trialTimeoutMs }),
      )
      if (!trial.accepted) {
        throw new CliError(
          exitCodes.failed,
          'SUBMIT_REFUSED',
          `SLURM would refuse it: ${trial.message}\n${trial.advice}`,
        )
      }
      report(terminal, command, { pool, accepted: true, message: trial.message }, ({ message }) => message)
    })
}
