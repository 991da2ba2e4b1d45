import { readFileSync, watch } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { findProgram } from './packages.js'
import type { SlurmLab } from './slurm-lab.js'

/** A call of one of SLURM's commands. */
export interface LoggedCall {
  readonly command: string
  readonly atMs: number
}

/** Shell lines around one call of a command. */
export interface Interference {
  readonly before?: string
  readonly after?: string
}

/** Writes down who calls SLURM when, and may do something at the very moment of a call. */
export interface CommandLog {
  /** Puts the commands that are written down before the real ones. */
  readonly env: Readonly<Record<string, string>>
  /** In the order of the calls; questions for the version are not counted. */
  calls(command?: string): LoggedCall[]
  /** Resolves when the command has been called so many times. */
  callCount(command: string, count: number): Promise<void>
  /** Around the next call of the command, and no other, these lines are run; resolves when they are. */
  interfere(command: string, lines: Interference): Promise<void>
}

const commands = ['sbatch', 'squeue', 'scancel', 'sacct', 'scontrol', 'sinfo'] as const

/** Commands for a lab that do what the real ones do. */
export async function logCommands(lab: SlurmLab): Promise<CommandLog> {
  const folder = path.join(lab.dir, 'logged')
  const binDir = path.join(folder, 'bin')
  const logFile = path.join(folder, 'calls')
  await mkdir(binDir, { recursive: true })
  await writeFile(logFile, '')
  for (const command of commands) {
    const file = path.join(binDir, command)
    await writeFile(file, wrapperOf(command, folder, logFile))
    await chmod(file, 0o755)
  }
  const calls = (command?: string): LoggedCall[] =>
    readFileSync(logFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' '))
      .map(([name = '', atNs = '']) => ({ command: name, atMs: Number(BigInt(atNs) / 1_000n) / 1_000 }))
      .filter((call) => command === undefined || call.command === command)
  return {
    env: { ...lab.env, PATH: `${binDir}${path.delimiter}${process.env['PATH'] ?? ''}` },
    calls,
    callCount: (command, count) => changed(folder, () => calls(command).length >= count),
    interfere: async (command, { before = '', after = '' }) => {
      const done = path.join(folder, `${command}.done`)
      await writeFile(done, '')
      await writeFile(path.join(folder, `${command}.after`), `${after}\nprintf done >'${done}'\n`)
      await writeFile(path.join(folder, `${command}.before`), `${before}\n`)
      await changed(folder, () => readFileSync(done, 'utf8') !== '')
    },
  }
}

/** What is to be done is taken by the call that finds it, so that the next one does not do it again. */
function wrapperOf(command: string, folder: string, logFile: string): string {
  const real = findProgram(command) ?? command
  return [
    '#!/bin/sh',
    `case " $* " in *" --version "*) exec ${real} "$@";; esac`,
    `printf '%s %s\\n' ${command} "$(date +%s%N)" >>'${logFile}'`,
    `if mv '${folder}/${command}.before' "${folder}/${command}.$$" 2>/dev/null; then`,
    `  . "${folder}/${command}.$$"`,
    `  ${real} "$@"; code=$?`,
    `  . '${folder}/${command}.after'`,
    '  exit $code',
    'fi',
    `exec ${real} "$@"`,
    '',
  ].join('\n')
}

async function changed(folder: string, isTrue: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(folder, () => look())
    const look = (): void => {
      if (!isTrue()) return
      watcher.close()
      resolve()
    }
    look()
  })
}
