import path from 'node:path'

import { type Command, InvalidArgumentError, Option } from 'commander'

import { createLocalCluster, type LocalClusterOptions } from '#libs/client'
import { parseOffer } from '#libs/domain'
import { meshDirOf } from '#libs/lifecycle'

import { readRunDir } from '../mesh.js'
import { report } from '../report.js'
import type { Terminal } from '../terminal.js'

interface Options extends Pick<
  LocalClusterOptions,
  'workers' | 'threadsPerWorker' | 'executor' | 'memoryLimit' | 'resources'
> {
  readonly name: string
}

/** `costate up`: starts a mesh on this machine that outlives the command. */
export function addUp(program: Command, terminal: Terminal): void {
  program
    .command('up')
    .description('start a mesh on this machine; it runs until costate down')
    .option('--name <name>', 'the name by which connect(name) and other commands find it', 'default')
    .option('--workers <count>', 'worker processes; one per core unless given', parseCount)
    .option('--threads-per-worker <count>', 'tasks that a worker runs at once', parseCount, 1)
    .addOption(
      new Option('--executor <kind>', 'where tasks run: in threads of the worker, or each slot in a process of its own')
        .choices(['thread', 'process'])
        .default('thread'),
    )
    .option('--memory-limit <bytes>', 'resident memory of one worker, such as 4GB; no limit unless given')
    .option('--resources <amounts>', 'what each worker offers besides, such as gpu=2,licence=1', parseResources)
    .action(async (options: Options, command: Command) => {
      const { name } = options
      const cluster = await createLocalCluster({ ...options, keepAlive: true })
      const workers = await cluster.workers()
      await cluster.close()
      const meshDir = meshDirOf(name)
      const slots = workers.reduce((sum, worker) => sum + worker.slots, 0)
      const started = { name, workers: workers.length, slots, meshDir, runDir: await readRunDir(meshDir) }
      report(terminal, command, started, () =>
        [
          `mesh '${name}' runs with ${countOf(workers.length, 'worker')} and ${countOf(slots, 'slot')}`,
          `use it with connect('${name}'), look at it with costate status ${name}, end it with costate down ${name}`,
          `logs and traces: ${path.relative('', started.runDir ?? meshDir)}`,
        ].join('\n'),
      )
    })
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number from 1 to 256.')
}

function parseResources(text: string): Record<string, number> {
  try {
    return parseOffer(text, 'resources')
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
