import type { Command } from 'commander'

import type { Terminal } from '../terminal.js'
import { addCheckpointsList } from './checkpoints-list.js'
import { addCheckpointsPrune } from './checkpoints-prune.js'
import { addCheckpointsRm } from './checkpoints-rm.js'
import { addCheckpointsShow } from './checkpoints-show.js'
import { addCheckpointsVerify } from './checkpoints-verify.js'

/** `costate checkpoints`: what the checkpoint-store of a mesh keeps. */
export function addCheckpoints(program: Command, terminal: Terminal): void {
  const group = program.command('checkpoints').description('list, show, verify, prune and remove checkpoints')
  addCheckpointsList(group, terminal)
  addCheckpointsShow(group, terminal)
  addCheckpointsVerify(group, terminal)
  addCheckpointsPrune(group, terminal)
  addCheckpointsRm(group, terminal)
}
