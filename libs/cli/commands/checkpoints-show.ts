import type { Command } from 'commander'

import { describeCheckpoint } from '#libs/checkpoint'
import { formatBytes, formatDuration } from '#libs/domain'

import { type CheckpointRow, checkpointRowOf, labelsOf } from '../checkpoint-table.js'
import { answerTimeoutMs, askStore } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { report } from '../report.js'
import { printable } from '../table.js'
import type { Terminal } from '../terminal.js'
import { parseVersion } from '../version-option.js'

interface Options {
  readonly mesh?: string
  readonly at?: bigint
}

/** `costate checkpoints show`: what is known of a version. */
export function addCheckpointsShow(group: Command, terminal: Terminal): void {
  group
    .command('show')
    .description('show what is known of a checkpoint')
    .argument('<name>', 'its name')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--at <version>', 'the version; the newest unless given', parseVersion)
    .action(async (name: string, { mesh, at: version = 0n }: Options, command: Command) => {
      const { checkpoint } = await askStore(await chooseMesh(mesh), (store) =>
        store.getCheckpoint({ name, version }, { deadline: answerTimeoutMs }),
      )
      if (checkpoint === undefined) throw new Error('the checkpoint-store answered without a checkpoint')
      report(terminal, command, checkpointRowOf(describeCheckpoint(checkpoint)), describe)
    })
}

function describe(row: CheckpointRow): string {
  const { name, version, byteLength, savedAt, iteration, cost, labels, digest, etag } = row
  const lines = [
    `checkpoint ${name}, version ${version}`,
    `  size       ${formatBytes(byteLength)} (${byteLength} bytes)`,
    `  saved      ${savedAt}, ${formatDuration(Math.max(0, Date.now() - Date.parse(savedAt)))} ago`,
    ...(iteration === undefined ? [] : [`  iteration  ${iteration}`]),
    ...(cost === undefined ? [] : [`  cost       ${cost}`]),
    ...(Object.keys(labels).length === 0 ? [] : [`  labels     ${labelsOf(labels)}`]),
    `  digest     ${digest}`,
    `  etag       ${etag}`,
  ]
  return lines.map(printable).join('\n')
}
