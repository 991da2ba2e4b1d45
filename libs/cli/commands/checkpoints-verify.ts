import type { Command } from 'commander'

import { formatBytes } from '#libs/domain'
import { Health, type VerifyCheckpointsResponse } from '#libs/proto'

import { countVersions } from '../checkpoint-table.js'
import { CliError, exitCodes } from '../cli-error.js'
import { askStore } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { report } from '../report.js'
import { printable } from '../table.js'
import type { Terminal } from '../terminal.js'

interface Finding {
  readonly what: string
  readonly health: 'damaged' | 'missing'
  readonly message: string
}

interface Verified {
  readonly checked: number
  readonly bytesRead: number
  readonly findings: readonly Finding[]
}

/** `costate checkpoints verify`: reads everything from the disk and compares it with its digests. */
export function addCheckpointsVerify(group: Command, terminal: Terminal): void {
  group
    .command('verify')
    .description(
      'read checkpoints from the disk of the store and compare them with their digests; ends with 1 on damage',
    )
    .argument('[prefix]', 'only names that start so; everything, bundles and inputs included, unless given', '')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .action(async (prefix: string, { mesh }: { readonly mesh?: string }, command: Command) => {
      let checked = 0
      let bytesRead = 0
      const findings: Finding[] = []
      await askStore(await chooseMesh(mesh), async (store) => {
        for await (const verdict of store.verifyCheckpoints({ prefix })) {
          checked++
          bytesRead += Number(verdict.bytesRead)
          if (verdict.health !== Health.SOUND) findings.push(findingOf(verdict))
        }
      })
      report<Verified>(terminal, command, { checked, bytesRead, findings }, describe)
      if (findings.length === 0) return
      const message =
        'what is not as it was stored is not given out: save it again or load older versions, and check the disk'
      throw new CliError(exitCodes.failed, 'DAMAGE_FOUND', message)
    })
}

function findingOf({ target, health, message }: VerifyCheckpointsResponse): Finding {
  const what =
    target?.$case === 'checkpoint'
      ? `checkpoint ${target.value.name}, version ${target.value.version}`
      : `blob ${target?.value ?? ''}`
  return { what, health: health === Health.MISSING ? 'missing' : 'damaged', message }
}

function describe({ checked, bytesRead, findings }: Verified): string {
  const read = `${countVersions(checked)} checked, ${formatBytes(bytesRead)} read`
  if (findings.length === 0) return `${read}: all are as they were stored`
  const lines = findings.map(({ what, message }) => printable(`  ${what}: ${message}`))
  return [`${read}: ${findings.length} are not as they were stored`, ...lines].join('\n')
}
