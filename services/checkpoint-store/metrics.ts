import { metrics } from '@opentelemetry/api'

import { createLoopDelay } from '#libs/lifecycle'

import type { State } from './core/state.js'

/** One transfer that is over. */
export interface EndedTransfer {
  readonly direction: 'save' | 'load'
  readonly what: 'blob' | 'checkpoint'
  readonly outcome: 'ok' | 'failed'
  readonly byteLength: number
  readonly durationMs: number
}

/** Where the store's measurements go. */
export interface Meter {
  transferEnded(transfer: EndedTransfer): void
  /** A chunk whose bytes are not those of its name was found. */
  damageFound(): void
}

/** What the store shows of itself. No names of checkpoints: their number has no bound. */
export function observeStore(state: State): Meter {
  const meter = metrics.getMeter('costate.checkpoint_store')
  const gauge = (name: string, unit: string, valueOf: () => number): void => {
    meter
      .createObservableGauge(`costate.checkpoint_store.${name}`, { unit })
      .addCallback((result) => result.observe(valueOf()))
  }
  const loopDelay = createLoopDelay()
  meter.createObservableGauge('nodejs.eventloop.delay.max', { unit: 's' }).addCallback((result) => {
    result.observe(loopDelay.takeMaxMs() / 1000)
  })
  gauge('checkpoints', '{checkpoint}', () => state.checkpoints.size)
  gauge('blobs', '{blob}', () => state.blobs.size)
  gauge('chunks', '{chunk}', () => state.chunks.size)
  gauge('chunks.size', 'By', () => state.liveBytes)
  const duration = meter.createHistogram('costate.checkpoint_store.transfer.duration', { unit: 's' })
  const io = meter.createCounter('costate.checkpoint_store.io', { unit: 'By' })
  const damage = meter.createCounter('costate.checkpoint_store.damage', { unit: '{chunk}' })
  return {
    transferEnded: ({ direction, what, outcome, byteLength, durationMs }) => {
      const labels = { direction, what, outcome }
      duration.record(durationMs / 1000, labels)
      io.add(byteLength, labels)
    },
    damageFound: () => damage.add(1),
  }
}
