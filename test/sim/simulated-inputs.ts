import type { ObjectId } from '#libs/domain'

import type { OrderedInput } from './messages.js'
import type { SimulatedWorker } from './simulated-worker.js'
import type { Surroundings } from './surroundings.js'
import { decodeResult } from './workload.js'

/** The inputs' values as the worker gets them, or nothing when one of them cannot be had from any that held it. */
export function inputValues(
  worker: SimulatedWorker,
  { world, workers, archives, isStormy }: Surroundings,
  inputs: readonly OrderedInput[],
): ReadonlyMap<ObjectId, number> | undefined {
  const values = new Map<ObjectId, number>()
  for (const { objectId, result, holders, archive } of inputs) {
    if (result.kind === 'inline') {
      values.set(objectId, decodeResult(result))
      continue
    }
    const reachable = holders.flatMap((id) => workers.get(id) ?? []).filter(({ isPartitioned }) => !isPartitioned)
    const from = [worker, ...(worker.isPartitioned ? [] : reachable)].map(({ objects }) => objects.get(objectId))
    const value = from.find((found) => found !== undefined) ?? archives.get(archive ?? '')
    if (value === undefined || (isStormy() && world.chance(0.03))) return undefined
    values.set(objectId, value)
  }
  return values
}
