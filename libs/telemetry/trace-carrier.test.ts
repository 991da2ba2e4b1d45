import { propagation, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api'
import { afterEach, expect, test } from 'vitest'

import {
  allowBaggage,
  carrierOf,
  extractTaskTrace,
  extractTrace,
  injectTrace,
  isTraced,
  traceFromEnv,
  traceToEnv,
  unsampled,
} from './trace-carrier.js'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

afterEach(() => allowBaggage([]))

test('a context survives the way through a task envelope', () => {
  allowBaggage(['experiment'])
  const carrier = { traceparent, tracestate: 'vendor=opaque', baggage: 'experiment=42' }
  expect(injectTrace(extractTrace(carrier))).toEqual(carrier)
  expect(trace.getSpanContext(extractTrace(carrier))).toMatchObject({ traceId, traceFlags: TraceFlags.SAMPLED })
})

test('baggage that is not on the list is dropped at the door, in both directions', () => {
  const carrier = { traceparent, baggage: 'experiment=42,user=ada' }
  expect(injectTrace(extractTrace(carrier))).toEqual({ traceparent })
  allowBaggage(['experiment'])
  expect(propagation.getBaggage(extractTrace(carrier))?.getAllEntries()).toEqual([['experiment', { value: '42' }]])
  const leaving = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ user: { value: 'ada' } }))
  expect(injectTrace(leaving)).toEqual({})
  allowBaggage('all')
  expect(injectTrace(extractTrace(carrier))).toEqual(carrier)
})

test('baggage beyond 8 KiB is not sent on', () => {
  allowBaggage('all')
  const entries = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${i}`, { value: 'x'.repeat(200) }]))
  const carrier = injectTrace(propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage(entries)))
  expect(carrier['baggage']!.length).toBeLessThanOrEqual(8192)
  expect(carrier['baggage']!.length).toBeGreaterThan(4096)
})

test.each([{}, { traceparent: 'garbage' }, { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` }])(
  'an empty or malformed carrier %j begins a new trace for a submit, and none for a task',
  (carrier: Record<string, string>) => {
    expect(trace.getSpanContext(extractTrace(carrier))).toBeUndefined()
    expect(injectTrace(extractTaskTrace(carrier))).toEqual({})
    expect(isTraced(carrier)).toBe(false)
    expect(unsampled(carrier)).toEqual({})
  },
)

test('an unsampled carrier keeps the place in the trace', () => {
  const carrier = unsampled({ traceparent })
  expect(carrier).toEqual({ traceparent: traceparent.replace(/01$/, '00') })
  expect(isTraced(carrier)).toBe(false)
  expect(isTraced({ traceparent })).toBe(true)
})

test('a carrier crosses sbatch in the environment', () => {
  const carrier = { traceparent, tracestate: 'vendor=opaque' }
  const env = traceToEnv(carrier)
  expect(env).toEqual({ TRACEPARENT: traceparent, TRACESTATE: 'vendor=opaque' })
  expect(traceFromEnv({ ...env, PATH: '/bin', BAGGAGE: '' })).toEqual(carrier)
})

test('the carrier of a span names that span', () => {
  const span = trace.wrapSpanContext({ traceId, spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED })
  expect(carrierOf(span)).toEqual({ traceparent })
})
