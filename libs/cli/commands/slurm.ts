import type { Command } from 'commander'

import type { Terminal } from '../terminal.js'
import { addSlurmAllocations } from './slurm-allocations.js'
import { addSlurmDrain } from './slurm-drain.js'
import { addSlurmExplain } from './slurm-explain.js'
import { addSlurmPause } from './slurm-pause.js'
import { addSlurmPools } from './slurm-pools.js'
import { addSlurmResume } from './slurm-resume.js'
import { addSlurmScale } from './slurm-scale.js'
import { addSlurmScript } from './slurm-script.js'

/** `costate slurm`: the pools of workers that a mesh has on a SLURM cluster. */
export function addSlurm(program: Command, terminal: Terminal): void {
  const group = program.command('slurm').description('look at and steer the worker pools of a mesh on a SLURM cluster')
  addSlurmPools(group, terminal)
  addSlurmAllocations(group, terminal)
  addSlurmExplain(group, terminal)
  addSlurmScript(group, terminal)
  addSlurmScale(group, terminal)
  addSlurmDrain(group, terminal)
  addSlurmPause(group, terminal)
  addSlurmResume(group, terminal)
}
