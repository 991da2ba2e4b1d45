import type { Clock } from '#libs/lifecycle'
import type { TransferOpen } from '#libs/proto'
import { attribute, recordSpan, stage } from '#libs/telemetry'

import type { Meter } from '../metrics.js'

/** What remains of one transfer when it is over: a span in the trace of who asked, and a measurement. */
export interface TransferRecord {
  finish(moved: { readonly byteLength: number; readonly version?: number }): void
  /** Ignored after `finish`. */
  fail(reason: string): void
}

/** Starts the record of a transfer. A span is made only where the dialler sent its trace along. */
export function startRecord(
  { target, trace }: TransferOpen,
  direction: 'save' | 'load',
  { clock, meter }: { readonly clock: Clock; readonly meter: Meter },
): TransferRecord {
  const startMs = clock.nowMs()
  const ofCheckpoint = target?.$case === 'checkpoint'
  const stageName = direction === 'save' ? stage.checkpointSave : stage.checkpointLoad
  const named = ofCheckpoint
    ? { [attribute.checkpointName]: target.value.name }
    : { [attribute.objectId]: `blob:${target?.$case === 'blobDigest' ? target.value : ''}` }
  let over = false

  const end = (detail: { byteLength?: number; version?: number; error?: string }): void => {
    if (over) return
    over = true
    const { byteLength, version, error } = detail
    const endMs = clock.nowMs()
    meter.transferEnded({
      direction,
      what: ofCheckpoint ? 'checkpoint' : 'blob',
      outcome: error === undefined ? 'ok' : 'failed',
      byteLength: byteLength ?? 0,
      durationMs: endMs - startMs,
    })
    if (trace.size === 0) return
    recordSpan({
      name: ofCheckpoint ? stageName : `blob ${direction}`,
      parent: Object.fromEntries(trace),
      startMs,
      endMs,
      attributes: {
        ...named,
        ...(byteLength === undefined ? {} : { [attribute.objectBytes]: byteLength }),
        ...(version === undefined ? {} : { [attribute.checkpointVersion]: version }),
      },
      ...(error === undefined ? {} : { error }),
    })
  }
  return { finish: end, fail: (error) => end({ error }) }
}
