import { trace } from '@opentelemetry/api'
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base'

import { activateTelemetry, deactivateTelemetry, type StartedTelemetry, type Telemetry } from './active-telemetry.js'
import { schemaUrl, scopeName } from './attributes.js'
import { ensureCallContextManager } from './context-manager.js'
import { createFileExporter, type LastMomentExporter } from './file-exporter.js'
import { createOtlpExporter } from './otlp-exporter.js'
import { describeProcess } from './resource.js'
import { createSampler } from './sampler.js'
import { createSpanQueue, type SpanQueue } from './span-queue.js'
import { readThreadSpans } from './thread-spans.js'
import { linkLimit } from './spans.js'
import { warnOnce } from './warning.js'

/** What a process says about itself when it starts telemetry. */
export interface TelemetryOptions {
  /** `scheduler`, `worker`, `checkpoint-store`, `slurm-provisioner`, `gateway` or `client`. */
  readonly service: string
  readonly instanceId: string
  /** Where `traces/<service>-<instanceId>.otlp.jsonl` is written, when there is no collector. */
  readonly runDir?: string
  /** A collector's OTLP/gRPC address, such as `http://collector:4317`; spans go there instead of to the run folder. */
  readonly otlpEndpoint?: string
  /**
   * Whether `trace.getTracer()` of user code writes here too. For processes that are ours: in a client's process the global
   * provider is the user's to register, before or after us, so it is false unless given.
   */
  readonly registerGlobally?: boolean
  /** Bytes of one trace file and how many are kept: 32 MiB and 4 unless given. */
  readonly maxFileBytes?: number
  readonly maxFiles?: number
}

// A span is for finding one's way; whole data sets in attributes would fill the files and the queue.
const maxAttributeLength = 8192

/**
 * Starts the recording of spans in this process and makes it the active telemetry. Where neither a run folder nor an endpoint
 * is given, trace ids are made and passed on but nothing is kept here. OTEL_SDK_DISABLED=true keeps nothing either.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  if (options.registerGlobally === true) ensureCallContextManager()
  const exporter = createExporter(options)
  const queue = exporter && createSpanQueue(exporter)
  const resource = describeProcess(options)
  const provider = new BasicTracerProvider({
    resource,
    sampler: createSampler(),
    spanProcessors: queue ? [queue] : ([] satisfies SpanProcessor[]),
    spanLimits: { attributeValueLengthLimit: maxAttributeLength, linkCountLimit: linkLimit },
  })
  const registered = options.registerGlobally === true && trace.setGlobalTracerProvider(provider)
  const drainAtExit = (): void => drainNow(exporter, queue)
  process.once('exit', drainAtExit)
  let ending: Promise<void> | undefined

  const telemetry: StartedTelemetry = {
    tracer: provider.getTracer(scopeName, undefined, { schemaUrl }),
    counts: () => queue?.counts() ?? { ended: 0, exported: 0, failed: 0, dropped: 0 },
    acceptLine(line) {
      for (const span of readThreadSpans(line, resource)) queue?.onEnd(span)
    },
    async flush() {
      await queue?.forceFlush().catch(() => undefined)
    },
    shutdown(timeoutMs = 2000) {
      ending ??= (async () => {
        deactivateTelemetry(telemetry)
        if (registered) trace.disable()
        await within(timeoutMs, provider.shutdown())
        process.removeListener('exit', drainAtExit)
      })()
      return ending
    },
  }
  activateTelemetry(telemetry)
  return telemetry
}

function createExporter(options: TelemetryOptions): LastMomentExporter | undefined {
  if (process.env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined
  const { otlpEndpoint, runDir } = options
  const protocol =
    process.env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? 'grpc'
  if (otlpEndpoint && protocol === 'grpc') return createOtlpExporter(otlpEndpoint)
  if (otlpEndpoint) {
    warnOnce(
      `OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}, but Costate sends traces over gRPC only: they go to the run folder. ` +
        `Name the collector's gRPC port (usually 4317) and set the protocol to grpc`,
    )
  }
  return runDir === undefined ? undefined : createFileExporter({ ...options, runDir })
}

// process.exit() and crashes skip shutdown. The batch processor hands its batches to the exporter before forceFlush returns,
// and the file exporter can write them without the event loop.
function drainNow(exporter: LastMomentExporter | undefined, queue: SpanQueue | undefined): void {
  try {
    queue?.forceFlush().catch(() => undefined)
    exporter?.drainSync()
  } catch (error) {
    warnOnce('the last spans are lost', error)
  }
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([work.catch(() => undefined), deadline])
  clearTimeout(timer)
}
