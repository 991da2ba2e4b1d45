import { existsSync } from 'node:fs'
import path from 'node:path'

import { type Command, InvalidArgumentError, Option } from 'commander'

import { CliError, exitCodes } from '../cli-error.js'
import { changesOf, openLogFolder } from '../log-folder.js'
import { isWanted, levels, type LogFilter, type LogLine, renderLogLine } from '../log-line.js'
import { findMeshDir, readRunDir } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import type { Terminal } from '../terminal.js'

interface Options extends LogFilter {
  readonly follow: boolean
  readonly tail?: number
  readonly run?: string
}

/** `costate logs`: what services and tasks wrote, merged by time. */
export function addLogs(program: Command, terminal: Terminal): void {
  program
    .command('logs')
    .description('show what the services of a mesh and its tasks wrote, merged by time')
    .argument('[mesh]', 'the mesh; the one that runs unless given')
    .option('-f, --follow', 'go on with what is written from now on, until Ctrl-C', false)
    .option('--job <id>', 'only what tasks of this job wrote')
    .option('--task <id>', 'only what this task wrote')
    .option('--worker <id>', 'only what this worker and its tasks wrote')
    .addOption(new Option('--level <level>', 'only lines of this level and above').choices([...levels]))
    .option('--tail <count>', 'only the last so many of the lines that are there', parseCount)
    .option('--run <folder>', 'the run folder with the logs, for a mesh that has ended')
    .action(async (mesh: string | undefined, options: Options, command: Command) => {
      const folder = path.join(await findRunDir(mesh, options.run), 'logs')
      const { json } = command.optsWithGlobals<{ json?: boolean }>()
      const show = (lines: readonly LogLine[]): void => {
        if (lines.length === 0) return
        terminal.print(lines.map((line) => (json ? jsonOf(line) : renderLogLine(line, terminal))).join('\n'))
      }
      const logs = openLogFolder(folder)
      const there = (await logs.readNew()).filter((line) => isWanted(line, options))
      show(there.slice(Math.max(0, there.length - (options.tail ?? Infinity))))
      if (!options.follow) return
      const forEver = new AbortController().signal
      for await (const _ of changesOf(folder, forEver)) {
        show((await logs.readNew()).filter((line) => isWanted(line, options)))
      }
    })
}

async function findRunDir(mesh: string | undefined, run: string | undefined): Promise<string> {
  if (run !== undefined) {
    if (existsSync(path.join(run, 'logs'))) return path.resolve(run)
    throw new CliError(exitCodes.notFound, 'RUN_NOT_FOUND', `there is no run folder ${run} with logs in it`)
  }
  const name = await chooseMesh(mesh)
  const runDir = await readRunDir(findMeshDir(name))
  if (runDir !== undefined && existsSync(path.join(runDir, 'logs'))) return runDir
  const message = `the folder of mesh '${name}' does not say where its logs are, or they are on another machine: give --run`
  throw new CliError(exitCodes.notFound, 'RUN_NOT_FOUND', message)
}

function jsonOf({ atMs, fields, ...line }: LogLine): string {
  return JSON.stringify({ at: new Date(atMs).toISOString(), ...line, fields })
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number from 0.')
}
