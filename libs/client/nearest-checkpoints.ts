import type { CheckpointDescription } from '#libs/checkpoint'

/** The label under which a version keeps the parameters that its value is the solution for. */
export const parametersLabel = 'parameters'

/** A solved point of a study. */
export interface NearCheckpoint extends CheckpointDescription {
  readonly parameters: readonly number[]
  /** Euclidean, each parameter in units of its range over the study and the point that was asked for. */
  readonly distance: number
}

/** @throws RangeError when these are no parameters of a point. */
export function checkParameters(parameters: readonly number[]): void {
  if (parameters.length > 0 && parameters.every((value) => Number.isFinite(value))) return
  throw new RangeError(`parameters [${parameters.join(', ')}]: give at least one number, and finite ones only`)
}

/** Labels with the parameters among them. */
export function labelsWith(
  labels: Readonly<Record<string, string>>,
  parameters: readonly number[] | undefined,
): Record<string, string> {
  if (parameters === undefined) return { ...labels }
  checkParameters(parameters)
  return { ...labels, [parametersLabel]: JSON.stringify(parameters) }
}

/**
 * The `k` points of a study that are nearest to the parameters, the nearest first; of equally near ones that with the lesser name.
 * Versions without parameters are none of its points.
 *
 * @throws RangeError for a k below 1, for parameters that are no numbers, and when the study's points have another number of them.
 */
export function findNearest(
  versions: readonly CheckpointDescription[],
  wanted: readonly number[],
  k: number,
): NearCheckpoint[] {
  if (!Number.isInteger(k) || k < 1) throw new RangeError(`the nearest ${k}: give a whole number from 1`)
  checkParameters(wanted)
  const points = versions.flatMap((version) => {
    const parameters = parametersOf(version)
    return parameters ? [{ version, parameters }] : []
  })
  const alike = points.filter(({ parameters }) => parameters.length === wanted.length)
  if (alike.length === 0 && points.length > 0) {
    const have = points[0]?.parameters.length ?? 0
    throw new RangeError(`the points of the study have ${have} parameters, not ${wanted.length}: give as many`)
  }
  const ranges = wanted.map((value, nth) => {
    let [least, most] = [value, value]
    for (const { parameters } of alike) {
      least = Math.min(least, parameters[nth] as number)
      most = Math.max(most, parameters[nth] as number)
    }
    return most - least
  })
  const distanceTo = (parameters: readonly number[]): number =>
    Math.hypot(...wanted.map((value, nth) => (ranges[nth] ? (value - (parameters[nth] as number)) / ranges[nth] : 0)))
  return alike
    .map(({ version, parameters }) => ({ ...version, parameters, distance: distanceTo(parameters) }))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, k)
}

function parametersOf({ labels }: CheckpointDescription): readonly number[] | undefined {
  try {
    const parameters = JSON.parse(labels[parametersLabel] ?? '') as unknown
    const isVector = Array.isArray(parameters) && parameters.length > 0 && parameters.every(Number.isFinite)
    return isVector ? (parameters as number[]) : undefined
  } catch {
    // A label of somebody's own.
    return undefined
  }
}

/** The prefix of the names of a study's points. */
export function prefixOfStudy(study: string): string {
  return study.endsWith('/') ? study : `${study}/`
}
