import { metrics } from '@opentelemetry/api'

import { createLoopDelay } from '#libs/lifecycle'

import type { State } from './core/state.js'
import type { WorkerMemory } from './objects/worker-memory.js'

/** What the worker shows of itself. No task or job ids: their number has no bound. */
export function observeWorker(state: State, { store, spilling, watch, rssBytes }: WorkerMemory): void {
  const meter = metrics.getMeter('costate.worker')
  const loopDelay = createLoopDelay()
  meter.createObservableGauge('nodejs.eventloop.delay.max', { unit: 's' }).addCallback((result) => {
    result.observe(loopDelay.takeMaxMs() / 1000)
  })
  meter.createObservableGauge('costate.worker.attempts', { unit: '{attempt}' }).addCallback((result) => {
    result.observe(state.attempts.size)
  })
  meter.createObservableGauge('costate.worker.objects.size', { unit: 'By' }).addCallback((result) => {
    result.observe(store.heldBytes, { 'costate.object.place': 'memory' })
    result.observe(store.spilledBytes, { 'costate.object.place': 'disk' })
  })
  meter.createObservableGauge('costate.worker.memory.usage', { unit: 'By' }).addCallback((result) => {
    result.observe(rssBytes())
  })
  // 1 while it is so.
  meter.createObservableGauge('costate.worker.paused').addCallback((result) => result.observe(watch.isPaused ? 1 : 0))
  meter.createObservableGauge('costate.worker.spill.blocked').addCallback((result) => {
    result.observe(spilling?.trouble === undefined ? 0 : 1)
  })
}
