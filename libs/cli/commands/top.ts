import { setTimeout as sleep } from 'node:timers/promises'

import { type Command, InvalidArgumentError } from 'commander'
import { createColors } from 'picocolors'

import type { SchedulerServiceDefinition } from '#libs/proto'
import type { RpcClient } from '#libs/rpc'

import { failureOf } from '../cli-error.js'
import { askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { type MeshLoad, rateBetween, readMeshLoad } from '../mesh-load.js'
import { report } from '../report.js'
import type { Terminal } from '../terminal.js'
import { renderTop } from '../top-view.js'

interface Options {
  readonly once: boolean
  readonly interval: number
}

type Scheduler = RpcClient<typeof SchedulerServiceDefinition>

/** `costate top`: what a mesh does, live. */
export function addTop(program: Command, terminal: Terminal): void {
  program
    .command('top')
    .description('show live what a mesh does: its workers, its jobs and their progress, tasks per second')
    .argument('[mesh]', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--once', 'look once, print that and end; so it is also for a pipe and with --json', false)
    .option('--interval <seconds>', 'how often to look', parseInterval, 1)
    .action(async (named: string | undefined, { once, interval }: Options, command: Command) => {
      const mesh = await chooseMesh(named)
      const { json } = command.optsWithGlobals<{ json?: boolean }>()
      await askScheduler(mesh, async (scheduler) => {
        if (terminal.isInteractive && !once && !json) return watch(mesh, scheduler, interval * 1000, terminal)
        const before = await readMeshLoad(scheduler, Date.now())
        await sleep(interval * 1000)
        const now = await readMeshLoad(scheduler, Date.now())
        const tasksPerSecond = rateBetween(before, now)
        report(terminal, command, { mesh, tasksPerSecond, ...now }, () =>
          renderTop(mesh, now, tasksPerSecond, terminal),
        )
      })
    })
}

/** Draws until the person leaves. A scheduler that is away for a while is no reason to end. */
async function watch(mesh: string, scheduler: Scheduler, intervalMs: number, terminal: Terminal): Promise<void> {
  const { dim, red } = createColors(terminal.color)
  // The first look may fail: then there is nothing to watch.
  let load = await readMeshLoad(scheduler, Date.now())
  let rate: number | undefined
  let problem = ''
  const screen = terminal.openScreen()
  const left = screen.left.then(() => true)
  try {
    for (;;) {
      const foot = problem === '' ? dim('q ends') : red(problem)
      screen.draw(`${renderTop(mesh, load, rate, terminal)}\n\n${foot}`)
      if (await Promise.race([sleep(intervalMs, false), left])) return
      const before: MeshLoad = load
      try {
        load = await readMeshLoad(scheduler, Date.now())
        rate = rateBetween(before, load)
        problem = ''
      } catch (error) {
        problem = `the scheduler does not answer: ${failureOf(error).message}`
      }
    }
  } finally {
    screen.close()
  }
}

function parseInterval(text: string): number {
  const seconds = Number(text)
  if (seconds >= 0.1 && seconds <= 3_600) return seconds
  throw new InvalidArgumentError('Give seconds from 0.1 to 3600.')
}
