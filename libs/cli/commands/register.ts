import path from 'node:path'

import { type Command, InvalidArgumentError } from 'commander'

import { connect } from '#libs/client'

import { findMeshDir } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { report } from '../report.js'
import { loadTask } from '../task-module.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly as: { readonly name: string; readonly version: string }
  readonly mesh?: string
  readonly task?: string
  readonly nativeAddon: readonly string[]
}

/** `costate register`: gives a task a name and version that clients in any language can call. */
export function addRegister(program: Command, terminal: Terminal): void {
  program
    .command('register')
    .description('give a task of a module a name and version that clients in any language can call')
    .argument('<module>', 'the TypeScript or JavaScript file that declares the task')
    .requiredOption('--as <name@version>', 'what it is called by', parseRegisteredName)
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--task <name>', 'which task, when the module exports several')
    .option('--native-addon <package>', 'a package with native code that the task declares; may be repeated', addTo, [])
    .action(async (modulePath: string, options: Options, command: Command) => {
      const { as, task: taskName, nativeAddon } = options
      const mesh = await chooseMesh(options.mesh)
      findMeshDir(mesh)
      const task = await loadTask(path.resolve(modulePath), { taskName, nativeAddons: nativeAddon })
      const cluster = await connect(mesh)
      try {
        await cluster.register(task, as)
      } finally {
        await cluster.close()
      }
      const registered = { ...as, mesh, task: task.taskName, module: path.resolve(modulePath) }
      report(terminal, command, registered, ({ name, version }) =>
        [
          `${name}@${version} is the task ${task.taskName} of ${modulePath} on mesh '${mesh}'`,
          `call it with submitRegistered('${name}@${version}', …), or as a RegisteredFunction from any language`,
        ].join('\n'),
      )
    })
}

function addTo(value: string, list: readonly string[]): readonly string[] {
  return [...list, value]
}

function parseRegisteredName(text: string): Options['as'] {
  const [, name, version] = /^([A-Za-z0-9][\w.-]{0,127})@([A-Za-z0-9][\w.-]{0,127})$/.exec(text) ?? []
  if (name !== undefined && version !== undefined) return { name, version }
  throw new InvalidArgumentError('Give a name and a version, such as heat@1.2, of letters, digits, dots, dashes and _.')
}
