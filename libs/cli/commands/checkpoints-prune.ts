import { randomUUID } from 'node:crypto'

import { type Command, InvalidArgumentError } from 'commander'

import { describeCheckpoint } from '#libs/checkpoint'
import { formatBytes, parseDurationMs } from '#libs/domain'

import { checkpointColumns, type CheckpointRow, checkpointRowOf, countVersions } from '../checkpoint-table.js'
import { parseLabel } from '../label-option.js'
import { answerTimeoutMs, askStore } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { report } from '../report.js'
import { renderTable } from '../table.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
  readonly keep: number
  readonly olderThan: number
  readonly label?: Map<string, string>
  readonly dryRun: boolean
}

interface Pruned {
  readonly dryRun: boolean
  readonly freedBytes: number
  readonly versions: readonly CheckpointRow[]
}

/** `costate checkpoints prune`: drops old versions, of all names or of those under a prefix. */
export function addCheckpointsPrune(group: Command, terminal: Terminal): void {
  group
    .command('prune')
    .description('drop old versions; what has a label to keep stays')
    .argument('[prefix]', 'only names that start so', '')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--keep <count>', 'how many of the newest versions of each name stay', parseCount, 1)
    .option('--older-than <duration>', 'only versions of at least this age, such as 7d or 12h', parseAge, 0)
    .option('--label <key=value>', 'only versions with this label; may come several times', parseLabel)
    .option('--dry-run', 'only say what would be dropped', false)
    .action(async (prefix: string, options: Options, command: Command) => {
      const { keep: keepVersions, olderThan, label: labels = new Map<string, string>(), dryRun } = options
      const keepFor = { seconds: BigInt(Math.floor(olderThan / 1_000)), nanos: (olderThan % 1_000) * 1e6 }
      const request = { prefix, keepVersions, keepFor, labels, dryRun, requestId: randomUUID() }
      const { checkpoints, freedBytes } = await askStore(await chooseMesh(options.mesh), (store) =>
        store.pruneCheckpoints(request, { deadline: answerTimeoutMs }),
      )
      const versions = checkpoints.map((checkpoint) => checkpointRowOf(describeCheckpoint(checkpoint)))
      report<Pruned>(terminal, command, { dryRun, freedBytes: Number(freedBytes), versions }, (pruned) =>
        textOf(pruned, terminal),
      )
    })
}

function textOf({ dryRun, freedBytes, versions }: Pruned, terminal: Terminal): string {
  if (versions.length === 0) return 'there is nothing to drop'
  const table = renderTable(checkpointColumns(Date.now()), versions, terminal)
  const what = countVersions(versions.length)
  return `${table}\n${dryRun ? `${what} would be dropped, which would free` : `${what} dropped, which frees`} ${formatBytes(freedBytes)}`
}

function parseCount(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number from 0 to 99999.')
}

function parseAge(text: string): number {
  try {
    return parseDurationMs(text, '--older-than')
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
