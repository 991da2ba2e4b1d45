import { join } from 'node:path'

import { ExportResultCode } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base'

import { encodeSpans } from './otlp-encoding.js'
import { openRotatingFile, type RotatingFile } from './rotating-file.js'
import { traceFileSuffix, traceFolder } from './trace-folder.js'
import { warnOnce } from './warning.js'

/** An exporter that can also finish when the event loop no longer turns. */
export interface LastMomentExporter extends SpanExporter {
  forceFlush(): Promise<void>
  drainSync(): void
}

/**
 * Writes spans to this process's own file in the run folder: each batch is one line with an ExportTraceServiceRequest in the
 * official OTLP/JSON encoding, which collectors read as they are. A batch that cannot be written is lost, and the first loss
 * is said once as a process warning.
 */
export function createFileExporter(options: {
  runDir: string
  service: string
  instanceId: string
  maxFileBytes?: number
  maxFiles?: number
}): LastMomentExporter {
  const { runDir, maxFileBytes = 32 * 2 ** 20, maxFiles = 4 } = options
  const name = `${options.service}-${options.instanceId}`.replaceAll(/[^A-Za-z0-9_-]/g, '_')
  const file: RotatingFile = openRotatingFile({
    stem: join(runDir, traceFolder, name),
    suffix: traceFileSuffix,
    maxFileBytes,
    maxFiles,
  })

  return {
    export(spans: ReadableSpan[], done) {
      let line: string
      try {
        line = encodeSpans(spans)
      } catch (error) {
        done({ code: ExportResultCode.FAILED, error: error as Error })
        return
      }
      file.append(line).then(
        () => done({ code: ExportResultCode.SUCCESS }),
        (error: unknown) => {
          warnOnce(`spans are lost: writing to ${join(runDir, traceFolder)} failed`, error)
          done({ code: ExportResultCode.FAILED, error: error as Error })
        },
      )
    },
    forceFlush: () => file.sync(),
    async shutdown() {
      await file.sync()
      await file.close()
    },
    drainSync: () => file.drainSync(),
  }
}
