// The process that measures one row: it is told which, answers with the measurement, and ends.
import { once } from 'node:events'

import type { RowAnswer, RowOrder } from './row-process.js'
import { rows } from './rows/index.js'

// Nobody waits for the measurement any more; the row's clusters end with this process.
process.once('disconnect', () => process.exit(1))

const [order] = (await once(process, 'message')) as [RowOrder]
const answer = await measure(order)
process.send?.(answer, () => process.exit())

async function measure({ name, ...settings }: RowOrder): Promise<RowAnswer> {
  const row = rows.find((each) => each.name === name)
  if (row === undefined) return { failure: `there is no row ${name}` }
  const say = (text: string): void => void process.stderr.write(`${name}: ${text}\n`)
  try {
    return { measured: await row.measure({ ...settings, nowMs: () => performance.now(), say }) }
  } catch (error) {
    return { failure: (error as Error).stack ?? String(error) }
  }
}
