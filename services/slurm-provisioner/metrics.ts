import { metrics } from '@opentelemetry/api'

import { createLoopDelay } from '#libs/lifecycle'
import { attribute } from '#libs/telemetry'

import type { Pool, State } from './core/state.js'

/** What the provisioner shows of itself, by pool. */
export function observeProvisioner(state: State): void {
  const meter = metrics.getMeter('costate.provisioner')
  const loopDelay = createLoopDelay()
  meter.createObservableGauge('nodejs.eventloop.delay.max', { unit: 's' }).addCallback((result) => {
    result.observe(loopDelay.takeMaxMs() / 1000)
  })
  const observe = (name: string, valueOf: (pool: Pool) => number): void => {
    meter.createObservableGauge(`costate.provisioner.workers.${name}`, { unit: '{worker}' }).addCallback((result) => {
      for (const pool of state.pools) result.observe(valueOf(pool), { [attribute.poolName]: pool.limits.name })
    })
  }
  observe('desired', ({ desiredWorkers }) => desiredWorkers)
  observe('present', ({ presentWorkers }) => presentWorkers)
  observe('allocated', ({ allocatedWorkers }) => allocatedWorkers)
}
