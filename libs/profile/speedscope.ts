import type { CpuSamples } from './sampling/cpu-samples.js'

/** A file for the viewer speedscope, after its schema. */
export interface SpeedscopeFile {
  readonly $schema: string
  readonly name: string
  readonly shared: { readonly frames: readonly { readonly name: string }[] }
  readonly profiles: readonly {
    readonly type: 'sampled'
    readonly name: string
    readonly unit: 'microseconds'
    readonly startValue: number
    readonly endValue: number
    readonly samples: readonly (readonly number[])[]
    readonly weights: readonly number[]
  }[]
}

/** Samples as a file that speedscope opens. */
export function toSpeedscope({ frames, stacks }: CpuSamples, name: string): SpeedscopeFile {
  const weights = stacks.map(([, us]) => us)
  const endValue = weights.reduce((sum, us) => sum + us, 0)
  const samples = stacks.map(([stack]) => stack)
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name,
    shared: { frames: frames.map((frame) => ({ name: frame })) },
    profiles: [{ type: 'sampled', name, unit: 'microseconds', startValue: 0, endValue, samples, weights }],
  }
}
