import { inspect } from 'node:util'

import { createColors } from 'picocolors'

import { printable } from './table.js'
import type { Terminal } from './terminal.js'

/** A line of a service's log. */
export interface LogLine {
  readonly atMs: number
  /** Empty for what was no line of the logger, such as the trace of a crash. */
  readonly level: string
  readonly service: string
  /** Which process of the service: for a worker its id. */
  readonly instance: string
  readonly taskId?: string
  readonly attempt?: number
  readonly jobId?: string
  readonly text: string
  /** What else the line says. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Which lines are wanted. */
export interface LogFilter {
  readonly job?: string
  readonly task?: string
  readonly worker?: string
  /** The lowest level. */
  readonly level?: string
}

export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/** What a line takes over that does not say it itself: from the line before in its file, or the file's name. */
export type LogOrigin = Pick<LogLine, 'atMs' | 'service' | 'instance'>

/** Reads a line: JSON from the logger, or anything else that a process wrote. */
export function parseLogLine(text: string, origin: LogOrigin): LogLine {
  const entry = text.startsWith('{') ? parseJson(text) : undefined
  const atMs = Date.parse(textIn(entry, 'time') ?? '')
  if (entry === undefined || Number.isNaN(atMs)) return { ...origin, level: '', text, fields: {} }
  const known = ['level', 'time', 'service', 'instance', 'host', 'pid', 'msg', 'task', 'attempt', 'job', 'worker']
  const taskKeys = ['costate.task.id', 'costate.task.attempt', 'costate.job.id']
  const taskId = textIn(entry, 'costate.task.id') ?? textIn(entry, 'task')
  const attempt = entry['costate.task.attempt'] ?? entry['attempt']
  const jobId = textIn(entry, 'costate.job.id') ?? textIn(entry, 'job') ?? taskId?.slice(0, taskId.lastIndexOf('/'))
  return {
    atMs,
    level: textIn(entry, 'level') ?? '',
    service: textIn(entry, 'service') ?? origin.service,
    instance: textIn(entry, 'worker') ?? textIn(entry, 'instance') ?? origin.instance,
    ...(taskId ? { taskId } : {}),
    ...(typeof attempt === 'number' && attempt > 0 ? { attempt } : {}),
    ...(jobId ? { jobId } : {}),
    text: textIn(entry, 'msg') ?? '',
    fields: Object.fromEntries(
      Object.entries(entry).filter(([key]) => !known.includes(key) && !taskKeys.includes(key)),
    ),
  }
}

/** Whether a line is wanted. A line without a level belongs to one that was written: it is told at every level. */
export function isWanted(line: LogLine, { job, task, worker, level }: LogFilter): boolean {
  if (job !== undefined && line.jobId !== job) return false
  if (task !== undefined && line.taskId !== task) return false
  if (worker !== undefined && line.instance !== worker) return false
  const rank = levels.indexOf(line.level as (typeof levels)[number])
  return level === undefined || rank < 0 || rank >= levels.indexOf(level as (typeof levels)[number])
}

/** For programs, which find them with --json. */
const traceKeys: readonly string[] = ['trace_id', 'span_id', 'trace_flags']

/** A line for a person, or with tabs for a program. */
export function renderLogLine(line: LogLine, terminal: Terminal): string {
  const { atMs, level, service, instance, taskId, attempt } = line
  const task = taskId === undefined ? '' : attempt === undefined ? taskId : `${taskId}#${attempt}`
  const told = Object.entries(line.fields).filter(([key]) => !traceKeys.includes(key))
  const fields = told.map(([key, value]) => `${key}=${fieldText(value)}`)
  const iso = new Date(atMs).toISOString()
  const text = printable(line.text)
  if (!terminal.isInteractive) {
    return [iso, level, service, instance, task, [text, ...fields].filter(Boolean).join(' ')].map(printable).join('\t')
  }
  const colors = createColors(terminal.color)
  const paint = levelPaints.get(level) ?? ((plain: string) => plain)
  const by = service === 'worker' ? instance : service
  const of = [colors.cyan(printable(by)), ...(task === '' ? [] : [colors.dim(printable(task))])].join(' ')
  const more = fields.length > 0 ? ` ${colors.dim(printable(fields.join(' ')))}` : ''
  const name = level === '' ? '     ' : level.slice(0, 5).toUpperCase().padEnd(5)
  return `${colors.dim(clockOf(atMs))} ${terminal.color ? paint(name, colors) : name} ${of} ${paint(text, colors)}${more}`
}

type Colors = ReturnType<typeof createColors>
const levelPaints = new Map<string, (text: string, colors: Colors) => string>([
  ['trace', (text, { dim }) => dim(text)],
  ['debug', (text, { dim }) => dim(text)],
  ['warn', (text, { yellow }) => yellow(text)],
  ['error', (text, { red }) => red(text)],
  ['fatal', (text, { red, bold }) => bold(red(text))],
])

function clockOf(atMs: number): string {
  const time = new Date(atMs)
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0'))
  return `${parts.join(':')}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

function fieldText(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 4, breakLength: Infinity })
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function textIn(entry: Record<string, unknown> | undefined, key: string): string | undefined {
  const value = entry?.[key]
  return typeof value === 'string' ? value : undefined
}
