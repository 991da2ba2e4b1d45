import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base'

/**
 * Parent-based always: the scheduler decides before a span exists which tasks get spans, and what it left out must stay out
 * even under OTEL_TRACES_SAMPLER=always_on. That variable (with OTEL_TRACES_SAMPLER_ARG) decides for new traces only.
 */
export function createSampler(env: NodeJS.ProcessEnv = process.env): Sampler {
  return new ParentBasedSampler({ root: rootSampler(env) })
}

function rootSampler(env: NodeJS.ProcessEnv): Sampler {
  const name = (env['OTEL_TRACES_SAMPLER'] ?? '').replace('parentbased_', '')
  if (name === 'always_off') return new AlwaysOffSampler()
  if (name !== 'traceidratio') return new AlwaysOnSampler()
  const ratio = Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? '1')
  return new TraceIdRatioBasedSampler(ratio >= 0 && ratio <= 1 ? ratio : 1)
}
