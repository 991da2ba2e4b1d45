import inspector from 'node:inspector'
import { inspect } from 'node:util'

import { type Command, InvalidArgumentError } from 'commander'
import { createColors } from 'picocolors'

import { formatDuration } from '#libs/domain'
import { codecsOf, createInlineContext } from '#libs/task'
import { encodeValue } from '#libs/value'

import { CliError, exitCodes } from '../cli-error.js'
import { askScheduler, findMeshDir } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { report } from '../report.js'
import { type Comparison, compareEnds, type Rerun } from '../rerun-comparison.js'
import { fetchTaskCall, type TaskCall } from '../task-call.js'
import { expectTaskId } from '../task-name.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
  readonly inspect?: number | true
}

/** What a run in this process came to. */
interface Outcome {
  readonly taskId: string
  readonly taskName: string
  readonly outcome: 'finished' | 'failed'
  readonly ranMs: number
  readonly comparison: Comparison
  /** The result as people see it, or the stack. */
  readonly shown: string
}

const defaultPort = 9229

/** `costate rerun`: runs a task of a mesh again, in this process. */
export function addRerun(program: Command, terminal: Terminal): void {
  program
    .command('rerun')
    .description('run a task of a mesh again in this process, with its code, inputs and seed, and compare how it ends')
    .argument('<task>', 'the id of the task: job, slash, index')
    .requiredOption('--inline', 'in this process: nothing of the mesh changes')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option(
      '--inspect [port]',
      `wait for a debugger (port ${defaultPort} unless given) and stop before the first line`,
      parsePort,
    )
    .action(async (task: string, options: Options, command: Command) => {
      const taskId = expectTaskId(task)
      const mesh = await chooseMesh(options.mesh)
      const call = await askScheduler(mesh, (scheduler) => fetchTaskCall(scheduler, findMeshDir(mesh), taskId))
      const outcome = await rerun(call, options, terminal)
      report(terminal, command, outcome, () => textOf(outcome, terminal))
      if (outcome.comparison.verdict !== 'different') return
      throw new CliError(exitCodes.failed, 'OTHER_OUTCOME', `task ${taskId} ended otherwise than in the mesh`)
    })
}

async function rerun(call: TaskCall, options: Options, terminal: Terminal): Promise<Outcome> {
  const { task, taskName, jobId, index, seed, args } = call
  const { taskId, attempt } = task
  const run = call.run as unknown as (...all: unknown[]) => Promise<unknown>
  const context = createInlineContext({ taskId, jobId, taskIndex: index, attempt, seed })
  const restoreConsole = sendConsoleTo(terminal)
  if (options.inspect !== undefined) waitForDebugger(options.inspect, terminal)
  const startedAtMs = performance.now()
  let ended: Rerun
  let shown: string
  try {
    // Step into this call: it is the task.
    const value: unknown =
      options.inspect === undefined ? await run(...args, context) : await stepInto(run, args, context)
    ended = {
      kind: 'finished',
      result: encodeValue(value, `the result of task ${taskId}`, { codecs: codecsOf(call.run) }),
    }
    shown = inspect(value, { depth: 2, maxArrayLength: 8, maxStringLength: 200, colors: terminal.color })
  } catch (error) {
    const known = error instanceof Error ? error : undefined
    const thrown = `the task threw ${inspect(error, { depth: 2 })}, which is no Error`
    ended = { kind: 'failed', errorName: known?.name ?? '', message: known?.message ?? thrown }
    shown = known?.stack === undefined ? thrown : userFrames(known.stack)
  } finally {
    restoreConsole()
  }
  const ranMs = performance.now() - startedAtMs
  return { taskId, taskName, outcome: ended.kind, ranMs, comparison: compareEnds(task, ended), shown }
}

async function stepInto(run: (...all: unknown[]) => Promise<unknown>, args: readonly unknown[], context: unknown) {
  // This is where the person who attached a debugger wants to be.
  debugger
  return await run(...args, context)
}

function waitForDebugger(port: number | true, terminal: Terminal): void {
  inspector.open(port === true ? defaultPort : port, '127.0.0.1')
  terminal.warn(
    `waiting for a debugger at ${inspector.url() ?? 'an unknown address'} (chrome://inspect, or attach in the editor)`,
  )
  inspector.waitForDebugger()
}

/** The frames above the task's own call: below it there is only this command. */
function userFrames(stack: string): string {
  const lines = stack.split('\n')
  const end = lines.findIndex((line) => /[/\\]libs[/\\]task[/\\]task\.[jt]s|[/\\]commands[/\\]rerun\.[jt]s/.test(line))
  return end < 0 ? stack : lines.slice(0, end).join('\n')
}

/** What the task writes goes the way of warnings: the report of the run is what the command prints. */
function sendConsoleTo(terminal: Terminal): () => void {
  const { debug, info, log, warn, error } = console
  const write = (...parts: unknown[]): void =>
    terminal.warn(parts.map((part) => (typeof part === 'string' ? part : inspect(part))).join(' '))
  Object.assign(console, { debug: write, info: write, log: write, warn: write, error: write })
  return () => Object.assign(console, { debug, info, log, warn, error })
}

function textOf({ taskId, taskName, outcome, ranMs, comparison, shown }: Outcome, { color }: Terminal): string {
  const { green, red, yellow } = createColors(color)
  const paint = { same: green, different: red, unsettled: yellow }[comparison.verdict]
  const how =
    outcome === 'finished' ? `finished in ${formatDuration(ranMs)} with` : `failed after ${formatDuration(ranMs)}:`
  return [`task ${taskId} (${taskName}) ${how}`, shown, paint(`${comparison.verdict}: ${comparison.text}`)].join('\n')
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw new InvalidArgumentError('Give a port from 0 to 65535.')
}
