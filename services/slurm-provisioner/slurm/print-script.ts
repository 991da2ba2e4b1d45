import { carrierOf, type Logger, attribute, traceToEnv, withSpan } from '#libs/telemetry'

import type { Effect } from '../core/effect.js'
import type { PoolSpec } from './pools.js'
import { renderScript, type WorkerLaunch } from './script.js'

/** What printing needs. */
export interface PrinterPorts {
  readonly pools: readonly PoolSpec[]
  readonly launch: WorkerLaunch
  /** Takes the whole text of a script. */
  readonly write: (script: string) => void
  readonly logger: Logger
}

/** Prints the scripts that the core asks for. The workers that a script starts belong to the trace of its printing. */
export function createScriptPrinter({
  pools,
  launch,
  write,
  logger,
}: PrinterPorts): (effects: readonly Effect[]) => void {
  return (effects) => {
    for (const { pool: name, count } of effects) {
      const pool = pools.find(({ limits }) => limits.name === name)
      if (pool === undefined) throw new Error(`the core asks for pool ${name}, which no file names`)
      withSpan('print script', { attributes: { [attribute.poolName]: name } }, (span) => {
        write(renderScript(pool, count, launch, traceToEnv(carrierOf(span))))
        logger.info({ pool: name, workers: count }, 'this script would be submitted')
      })
    }
  }
}
