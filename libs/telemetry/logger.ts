import { hostname } from 'node:os'
import { resolve } from 'node:path'
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
      mixin: activeSpanIds,
    },
    options.destination ?? openDestination(process.env),
  )
}

/** A child logger whose lines carry these ids. */
export function bindIds(logger: Logger, ids: LoggedIds): Logger {
  return logger.child(ids)
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
  const file = env['COSTATE_LOG_FILE']
  const destination = pino.destination({
    dest: file ? resolve(env['COSTATE_RUN_DIR'] ?? '.', file) : 2,
    mkdir: true,
    // A reader of stderr that stands still must not stop the event loop: lines wait in memory, and beyond the bound they are
    // lost. In a thread nothing would flush them at the end, so there each line is written at once.
    sync: !isMainThread,
    maxLength: maxBufferedBytes,
  })
  destination.on('error', (error: Error) => warnOnce(`log lines are lost: ${error.message}`))
  destination.on('drop', () => warnOnce(`log lines are lost: more than ${maxBufferedBytes} bytes wait to be written`))
  return destination
}
