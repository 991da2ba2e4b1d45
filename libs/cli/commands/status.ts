import type { Command } from 'commander'

import { CliError, exitCodes } from '../cli-error.js'
import { listMeshNames, type MeshStatus, readMeshStatus, type WorkerStatus } from '../mesh-status.js'
import { report } from '../report.js'
import { paintOfState } from '../states.js'
import { type Column, renderTable } from '../table.js'
import type { Terminal } from '../terminal.js'
import { workerColumns } from '../worker-table.js'

const meshColumns: readonly Column<MeshStatus>[] = [
  { title: 'MESH', show: ({ name }) => name },
  { title: 'STATE', show: ({ state }) => state, paint: ({ state }) => paintOfState(state) },
  { title: 'WORKERS', show: ({ workers }) => workers.length },
  { title: 'SLOTS', show: ({ workers }) => total(workers, 'slots') },
  { title: 'TASKS', show: ({ workers }) => total(workers, 'assignedTasks') },
  { title: 'RUN FOLDER', show: ({ runDir }) => runDir ?? '' },
]

/** `costate status`: this user's meshes, or the workers of one. */
export function addStatus(program: Command, terminal: Terminal): void {
  program
    .command('status')
    .description("list this user's meshes, or the workers of one")
    .argument('[mesh]', "the name of a mesh, or its scheduler's address")
    .action(async (name: string | undefined, _options: unknown, command: Command) => {
      if (name !== undefined) return showMesh(await readMeshStatus(name), command, terminal)
      const meshes = await Promise.all((await listMeshNames()).map(readMeshStatus))
      report(terminal, command, meshes, () =>
        meshes.length > 0 ? renderTable(meshColumns, meshes, terminal) : 'there is no mesh here: costate up starts one',
      )
    })
}

function showMesh(mesh: MeshStatus, command: Command, terminal: Terminal): void {
  if (mesh.state === 'running') {
    const none = `mesh '${mesh.name}' runs and has no workers`
    return report(terminal, command, mesh, ({ workers }) =>
      workers.length > 0 ? renderTable(workerColumns, workers, terminal) : none,
    )
  }
  const message =
    mesh.state === 'ended'
      ? `mesh '${mesh.name}' has ended: costate down ${mesh.name} removes what is left of it`
      : `mesh '${mesh.name}' does not answer (${mesh.problem ?? 'no reason is known'}): its logs are in ${mesh.runDir ?? mesh.meshDir}`
  throw new CliError(exitCodes.notFound, mesh.state === 'ended' ? 'MESH_ENDED' : 'MESH_UNREACHABLE', message)
}

function total(workers: readonly WorkerStatus[], what: 'slots' | 'assignedTasks'): number {
  return workers.reduce((sum, worker) => sum + worker[what], 0)
}
