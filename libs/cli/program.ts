import { Command } from 'commander'

import { packageVersion } from '#libs/proto'

import { addCancel } from './commands/cancel.js'
import { addCheckpoints } from './commands/checkpoints.js'
import { addDown } from './commands/down.js'
import { addDrain } from './commands/drain.js'
import { addExplain } from './commands/explain.js'
import { addJobs } from './commands/jobs.js'
import { addLogs } from './commands/logs.js'
import { addProfile } from './commands/profile.js'
import { addRegister } from './commands/register.js'
import { addRerun } from './commands/rerun.js'
import { addSlurm } from './commands/slurm.js'
import { addStatus } from './commands/status.js'
import { addStory } from './commands/story.js'
import { addTasks } from './commands/tasks.js'
import { addTop } from './commands/top.js'
import { addTrace } from './commands/trace.js'
import { addUp } from './commands/up.js'
import { addWorkers } from './commands/workers.js'
import type { Terminal } from './terminal.js'

const exitCodeHelp = `
Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 not found or not reachable.
Meshes of this user lie in ~/.costate/meshes, or where COSTATE_HOME says. A mesh elsewhere is named by its scheduler's
address (host:port), with COSTATE_MESH_DIR for the folder that holds the client's token.`

/** In the order of the help: a mesh, what runs in it, one task, what to do about it, what is kept, where it runs. */
const commands = [
  addUp,
  addDown,
  addStatus,
  addTop,
  addWorkers,
  addJobs,
  addTasks,
  addExplain,
  addStory,
  addTrace,
  addProfile,
  addLogs,
  addRerun,
  addCancel,
  addDrain,
  addCheckpoints,
  addSlurm,
  addRegister,
]

/** The `costate` command with all its subcommands. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('costate')
    .description('Runs and looks into Costate meshes.')
    .version(packageVersion)
    .option('--json', 'print JSON instead of text')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.warn(text.trimEnd()),
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
      getOutHasColors: () => terminal.color,
      getErrHasColors: () => terminal.color,
    })
    .showHelpAfterError('(see costate --help)')
    .exitOverride()
    .addHelpText('after', exitCodeHelp)
  for (const add of commands) add(program, terminal)
  return program
}
