import type { Command } from 'commander'

import { findMeshDir } from '../mesh.js'
import { endMesh } from '../mesh-end.js'
import { report } from '../report.js'
import type { Terminal } from '../terminal.js'

/** `costate down`: ends a mesh of this machine. */
export function addDown(program: Command, terminal: Terminal): void {
  program
    .command('down')
    .description('end a mesh of this machine, its jobs with it, and remove its folder with secrets and checkpoints')
    .argument('<mesh>', 'the name of the mesh')
    .action(async (name: string, _options: unknown, command: Command) => {
      const end = await endMesh(findMeshDir(name))
      report(terminal, command, { name, ...end }, ({ ended, killed }) => {
        if (ended + killed === 0) return `mesh '${name}' had ended before; its folder is removed`
        const late = killed > 0 ? `; ${killed} more took too long and were killed` : ''
        return `mesh '${name}' is down: ${ended} of its processes ended in order${late}`
      })
    })
}
