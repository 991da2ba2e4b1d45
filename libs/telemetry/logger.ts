import { mkdirSync, openSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { isMainThread } from 'node:worker_threads'

import { trace } from '@opentelemetry/api'
import { type DestinationStream, type Logger, pino } from 'pino'

import { redact, redactedFields } from './redaction.js'
import { warnOnce } from './warning.js'

export type { Logger } from 'pino'

/** Whose lines these are and where they go. */
export interface LoggerOptions {
  readonly service: string
  readonly instanceId: string
  /** `trace` … `fatal` or `silent`; COSTATE_LOG_LEVEL or `info` unless given. */
  readonly level?: string
  /** Takes each line; the file named by COSTATE_LOG_FILE (relative to the run folder) or stderr unless given. */
  readonly destination?: DestinationStream
}

/** The ids that a line carries when it is about one of these. */
export interface LoggedIds {
  readonly job?: string
  readonly task?: string
  readonly attempt?: number
  readonly worker?: string
}

/**
 * A pino logger that writes one JSON object per line, with the ids of the active span and without credentials or payloads
 * (see `redact`). Throws when the level is none.
 */
export function createLogger(options: LoggerOptions): Logger {
  const level = options.level ?? process.env['COSTATE_LOG_LEVEL'] ?? 'info'
  return pino(
    {
      level,
      base: { service: options.service, instance: options.instanceId, host: hostname(), pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
      redact: redactedFields,
      serializers: { err: serializeBoundError },
      mixin: activeSpanIds,
    },
    options.destination ?? openDestination(process.env),
  )
}

/** A child logger whose lines carry these ids. */
export function bindIds(logger: Logger, ids: LoggedIds): Logger {
  return logger.child(ids)
}

// Errors of a line are plain objects by now, those bound to a child logger are not.
function serializeBoundError(error: unknown): unknown {
  return error instanceof Error ? redact({ error })['error'] : error
}

function activeSpanIds(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext()
  if (span === undefined || !trace.isSpanContextValid(span)) return {}
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    trace_flags: span.traceFlags.toString(16).padStart(2, '0'),
  }
}

const maxBufferedBytes = 8 * 2 ** 20

function openDestination(env: NodeJS.ProcessEnv): DestinationStream {
  const destination = pino.destination({
    fd: openLogFile(env) ?? process.stderr.fd,
    // A reader of stderr that stands still must not stop the event loop: lines wait in memory, and beyond the bound they are
    // lost. In a thread nothing would flush them at the end, so there each line is written at once.
    sync: !isMainThread,
    maxLength: maxBufferedBytes,
  })
  destination.on('error', (error: Error) => warnOnce('log lines are lost: they cannot be written', error))
  destination.on('drop', () => warnOnce(`log lines are lost: more than ${maxBufferedBytes} bytes wait to be written`))
  return destination
}

// Opened here and now: pino opens a path later, and a process that ends before that loses its lines and its exit code.
function openLogFile(env: NodeJS.ProcessEnv): number | undefined {
  const name = env['COSTATE_LOG_FILE']
  if (!name) return undefined
  const path = resolve(env['COSTATE_RUN_DIR'] ?? '.', name)
  try {
    mkdirSync(dirname(path), { recursive: true })
    return openSync(path, 'a')
  } catch (error) {
    warnOnce(`the log file ${path} cannot be opened, log lines go to stderr`, error)
    return undefined
  }
}
