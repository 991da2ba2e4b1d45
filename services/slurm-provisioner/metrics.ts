import { metrics } from '@opentelemetry/api'

import { createLoopDelay } from '#libs/lifecycle'
import { attribute } from '#libs/telemetry'

import { endingKinds } from './core/allocation.js'
import { coreHoursOf } from './core/budget.js'
import type { Pool } from './core/pool.js'
import { allocationsOf, type State } from './core/state.js'

const phases = ['submitted', 'pending', 'running', 'registered', 'draining'] as const

/** What the provisioner shows of itself, by pool; allocations by how they are, and how they ended. */
export function observeProvisioner(state: State): void {
  const meter = metrics.getMeter('costate.provisioner')
  const loopDelay = createLoopDelay()
  meter.createObservableGauge('nodejs.eventloop.delay.max', { unit: 's' }).addCallback((result) => {
    result.observe(loopDelay.takeMaxMs() / 1000)
  })
  const labelsOf = (pool: Pool) => ({ [attribute.poolName]: pool.limits.name })
  const gauge = (name: string, unit: string, valueOf: (pool: Pool) => number): void => {
    meter.createObservableGauge(`costate.provisioner.${name}`, { unit }).addCallback((result) => {
      for (const pool of state.pools.values()) result.observe(valueOf(pool), labelsOf(pool))
    })
  }
  const counter = (name: string, unit: string, valueOf: (pool: Pool) => number): void => {
    meter.createObservableCounter(`costate.provisioner.${name}`, { unit }).addCallback((result) => {
      for (const pool of state.pools.values()) result.observe(valueOf(pool), labelsOf(pool))
    })
  }
  gauge('workers.desired', '{worker}', ({ desiredWorkers }) => desiredWorkers)
  gauge('workers.wanted', '{worker}', ({ targetWorkers }) => targetWorkers)
  gauge('paused', '1', ({ pause }) => (pause ? 1 : 0))
  gauge('core_time.spent', 'h', ({ spentCoreMs }) => coreHoursOf(spentCoreMs))
  counter('submits', '{submit}', ({ totals }) => totals.submits)
  counter('submits.refused', '{submit}', ({ totals }) => totals.refusals)
  counter('cancels', '{allocation}', ({ totals }) => totals.cancels)
  counter('drains', '{worker}', ({ totals }) => totals.drains)
  meter.createObservableGauge('costate.provisioner.allocations', { unit: '{allocation}' }).addCallback((result) => {
    for (const pool of state.pools.values()) {
      const own = allocationsOf(state, pool.limits.name)
      for (const phase of phases) {
        result.observe(own.filter((each) => each.phase.kind === phase).length, { ...labelsOf(pool), state: phase })
      }
    }
  })
  meter
    .createObservableCounter('costate.provisioner.allocations.ended', { unit: '{allocation}' })
    .addCallback((result) => {
      for (const pool of state.pools.values()) {
        for (const kind of endingKinds)
          result.observe(pool.totals.endings.get(kind) ?? 0, { ...labelsOf(pool), state: kind })
      }
    })
  meter.createObservableGauge('costate.provisioner.nodes.excluded', { unit: '{node}' }).addCallback((result) => {
    result.observe([...state.nodes.values()].filter(({ excluded }) => excluded).length)
  })
  meter.createObservableGauge('costate.provisioner.queue.failures', { unit: '{look}' }).addCallback((result) => {
    result.observe(state.queue.failures)
  })
}
