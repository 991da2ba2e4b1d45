import { metrics } from '@opentelemetry/api'

import { createLoopDelay } from '#libs/lifecycle'

import { demandOf } from './core/demand.js'
import type { State } from './core/state.js'

/** What the scheduler shows of itself. No task or job ids: their number has no bound. */
export function observeScheduler(state: State): void {
  const meter = metrics.getMeter('costate.scheduler')
  const loopDelay = createLoopDelay()
  meter.createObservableGauge('nodejs.eventloop.delay.max', { unit: 's' }).addCallback((result) => {
    result.observe(loopDelay.takeMaxMs() / 1000)
  })
  meter.createObservableGauge('costate.scheduler.tasks.wanted', { unit: '{slot}' }).addCallback((result) => {
    result.observe(demandOf(state).wantedSlots)
  })
  meter.createObservableGauge('costate.scheduler.workers', { unit: '{worker}' }).addCallback((result) => {
    result.observe(state.workers.size)
  })
  meter.createObservableGauge('costate.scheduler.jobs', { unit: '{job}' }).addCallback((result) => {
    result.observe(state.jobs.size)
  })
}
