import { randomUUID } from 'node:crypto'

import type { Command } from 'commander'

import { countVersions } from '../checkpoint-table.js'
import { answerTimeoutMs, askStore } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { report } from '../report.js'
import type { Terminal } from '../terminal.js'
import { parseVersion } from '../version-option.js'

interface Options {
  readonly mesh?: string
  readonly at?: bigint
}

/** `costate checkpoints rm`: removes a checkpoint, or a version of it. */
export function addCheckpointsRm(group: Command, terminal: Terminal): void {
  group
    .command('rm')
    .description('remove a checkpoint with all its versions, or one of them')
    .argument('<name>', 'its name')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--at <version>', 'only this version', parseVersion)
    .action(async (name: string, { mesh, at: version = 0n }: Options, command: Command) => {
      const request = { name, version, requestId: randomUUID() }
      const { versions } = await askStore(await chooseMesh(mesh), (store) =>
        store.deleteCheckpoint(request, { deadline: answerTimeoutMs }),
      )
      report(terminal, command, { name, versions }, () => `checkpoint ${name}: ${countVersions(versions)} removed`)
    })
}
