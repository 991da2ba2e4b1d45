import { metrics } from '@opentelemetry/api'

import { createLoopDelay } from '#libs/lifecycle'

import type { State } from './core/state.js'
import type { ObjectStore } from './objects/object-store.js'

/** What the worker shows of itself. No task or job ids: their number has no bound. */
export function observeWorker(state: State, store: ObjectStore): void {
  const meter = metrics.getMeter('costate.worker')
  const loopDelay = createLoopDelay()
  meter.createObservableGauge('nodejs.eventloop.delay.max', { unit: 's' }).addCallback((result) => {
    result.observe(loopDelay.takeMaxMs() / 1000)
  })
  meter.createObservableGauge('costate.worker.attempts', { unit: '{attempt}' }).addCallback((result) => {
    result.observe(state.attempts.size)
  })
  meter.createObservableGauge('costate.worker.objects.size', { unit: 'By' }).addCallback((result) => {
    result.observe(store.byteLength)
  })
}
