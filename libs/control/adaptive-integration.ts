import { checkSpan, type Rates, type Trajectory } from './integration.js'

export interface AdaptiveOptions {
  /** Of the local error, relative to each component; 1e-8 when left out. */
  readonly relativeTolerance?: number
  /** Of the local error, in the components' own units; 1e-10 when left out. */
  readonly absoluteTolerance?: number
  /** Where to begin; found from the rates when left out. */
  readonly firstStep?: number
  /** Of steps, rejected ones too; 100,000 when left out. */
  readonly maxSteps?: number
  /** Functions whose zeros are looked for, by name; their sign must change. */
  readonly events?: Readonly<Record<string, EventFunction>>
}

export interface EventFunction {
  value(t: number, x: Float64Array): number
  /** `rising` or `falling` zeros only; both when left out. */
  readonly direction?: 'falling' | 'rising'
  /** Whether the integration ends there. */
  readonly terminal?: boolean
}

export interface FoundEvent {
  readonly name: string
  readonly t: number
  /** float64[n]. */
  readonly x: Float64Array
}

export interface AdaptiveTrajectory extends Trajectory {
  /** x at any time of the trajectory, float64[n], of fourth order between steps. @throws RangeError outside of it. */
  at(t: number): Float64Array
  readonly events: readonly FoundEvent[]
  readonly steps: number
  readonly rejectedSteps: number
}

const C = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1]
const A = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40]
const DENSE = [
  ...[-12715105075 / 11282082432, 0, 87487479700 / 32700410799, -10690763975 / 1880347072],
  ...[701980252875 / 199316789632, -1453857185 / 822651844, 69997945 / 29380423],
]
const SAFETY = 0.9
const LEAST_FACTOR = 0.2
const MOST_FACTOR = 10
const STABILISATION = 0.04
const EVENT_HALVINGS = 200

/** A step with its interpolant: Σ of five vectors. */
interface Piece {
  readonly t: number
  readonly h: number
  readonly parts: readonly Float64Array[]
}

/**
 * Steps of the fifth-order method of Dormand & Prince with an embedded one of fourth order that says how long they may be, and
 * a continuous extension (J. Comput. Appl. Math. 6 (1980) 19; Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations
 * I, 2nd ed. 1993, sections II.4 to II.6). Not for stiff systems.
 * @param start float64[n].
 * @throws RangeError naming the argument that is malformed; Error when steps become too small or too many, with the time.
 */
export function integrateAdaptive(
  rates: Rates,
  span: { readonly from: number; readonly to: number },
  start: Float64Array,
  options: AdaptiveOptions = {},
): AdaptiveTrajectory {
  const { relativeTolerance = 1e-8, absoluteTolerance = 1e-10, maxSteps = 100_000, events = {} } = options
  checkSpan(span)
  if (!(relativeTolerance > 0)) throw new RangeError(`relativeTolerance is ${relativeTolerance}; it must be above 0`)
  if (!(absoluteTolerance > 0)) throw new RangeError(`absoluteTolerance is ${absoluteTolerance}; it must be above 0`)
  const n = start.length
  const direction = Math.sign(span.to - span.from)
  const k = Array.from({ length: 7 }, () => new Float64Array(n))
  const scaleOf = (a: number, b: number): number =>
    absoluteTolerance + relativeTolerance * Math.max(Math.abs(a), Math.abs(b))
  rates(span.from, start, k[0]!)
  let x: Float64Array = start.slice()
  let t = span.from
  let h = direction * Math.abs(options.firstStep ?? guessStep(rates, span, x, k[0]!, scaleOf))
  const pieces: Piece[] = []
  const states = [x]
  const found: FoundEvent[] = []
  let errorBefore = 1e-4
  let rejectedSteps = 0
  const at = new Float64Array(n)
  let ended = false
  while (!ended && t !== span.to) {
    if (pieces.length + rejectedSteps >= maxSteps) {
      throw new Error(`${maxSteps} steps reach only t = ${t}; allow more, or ask for less accuracy`)
    }
    if (Math.abs(h) <= 10 * Number.EPSILON * Math.abs(t)) {
      throw new Error(`the step has become too small at t = ${t}; the solution may have a pole, or the system be stiff`)
    }
    const isLast = Math.abs(span.to - t) <= Math.abs(h) * (1 + 1e-12)
    if (isLast) h = span.to - t
    for (let stage = 1; stage < 7; stage++) {
      for (let i = 0; i < n; i++) {
        let sum = 0
        for (let j = 0; j < stage; j++) sum += A[stage]![j]! * k[j]![i]!
        at[i] = x[i]! + h * sum
      }
      rates(t + C[stage]! * h, at, k[stage]!)
    }
    const next = at.slice()
    const error = errorOf(x, next, k, h, scaleOf)
    if (!(error <= 1)) {
      rejectedSteps++
      h *= Number.isFinite(error) ? Math.max(LEAST_FACTOR, SAFETY * error ** -0.2) : LEAST_FACTOR
      continue
    }
    const piece = { t, h, parts: interpolantOf(x, next, k, h) }
    const after = isLast ? span.to : t + h
    const stop = findEvents(events, piece, x, next, after, found)
    pieces.push(piece)
    t = stop?.t ?? after
    x = stop?.x ?? next
    states.push(x)
    ended = stop !== undefined
    k[0]!.set(k[6]!)
    const factor = SAFETY * (error || 1e-10) ** -(0.2 - 0.75 * STABILISATION) * errorBefore ** STABILISATION
    errorBefore = Math.max(error, 1e-4)
    h *= Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, factor))
  }
  const times = Float64Array.from([span.from, ...pieces.slice(1).map((piece) => piece.t), t])
  const all = new Float64Array(states.length * n)
  states.forEach((state, index) => all.set(state, index * n))
  return {
    ...{ t: times, x: all, events: found, steps: pieces.length, rejectedSteps },
    at: (time) => evaluate(pieceAt(pieces, times, time, direction), time),
  }
}

function errorOf(
  x: Float64Array,
  next: Float64Array,
  k: readonly Float64Array[],
  h: number,
  scaleOf: (a: number, b: number) => number,
): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) {
    let error = 0
    for (let j = 0; j < 7; j++) error += ERROR[j]! * k[j]![i]!
    sum += ((h * error) / scaleOf(x[i]!, next[i]!)) ** 2
  }
  return Math.sqrt(sum / x.length)
}

/** Hairer, Nørsett & Wanner, section II.4: a first step from the sizes of x, of x' and of its change. */
function guessStep(
  rates: Rates,
  span: { readonly from: number; readonly to: number },
  x: Float64Array,
  slope: Float64Array,
  scaleOf: (a: number, b: number) => number,
): number {
  const length = Math.abs(span.to - span.from)
  const norm = (values: Float64Array): number =>
    Math.sqrt(values.reduce((sum, value, i) => sum + (value / scaleOf(x[i]!, 0)) ** 2, 0) / x.length)
  const [size, speed] = [norm(x), norm(slope)]
  const first = Math.min(length, size < 1e-5 || speed < 1e-5 ? 1e-6 : (0.01 * size) / speed)
  const signed = first * Math.sign(span.to - span.from)
  const later = new Float64Array(x.length)
  rates(
    span.from + signed,
    x.map((value, i) => value + signed * slope[i]!),
    later,
  )
  const bend = norm(later.map((value, i) => value - slope[i]!)) / first
  const most = Math.max(speed, bend)
  const second = most <= 1e-15 ? Math.max(1e-6, first * 1e-3) : (0.01 / most) ** (1 / 5)
  return Math.min(100 * first, second, length)
}

function interpolantOf(x: Float64Array, next: Float64Array, k: readonly Float64Array[], h: number): Float64Array[] {
  const difference = next.map((value, i) => value - x[i]!)
  const bend = difference.map((value, i) => h * k[0]![i]! - value)
  return [
    x,
    difference,
    bend,
    difference.map((value, i) => value - h * k[6]![i]! - bend[i]!),
    x.map((_, i) => h * DENSE.reduce((sum, weight, j) => sum + weight * k[j]![i]!, 0)),
  ]
}

function evaluate({ t, h, parts }: Piece, time: number): Float64Array {
  const s = (time - t) / h
  const [p0, p1, p2, p3, p4] = parts as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array]
  return p0.map((value, i) => value + s * (p1[i]! + (1 - s) * (p2[i]! + s * (p3[i]! + (1 - s) * p4[i]!))))
}

function pieceAt(pieces: readonly Piece[], times: Float64Array, time: number, direction: number): Piece {
  const [from, to] = [times[0]!, times[times.length - 1]!]
  if (!(direction * time >= direction * from && direction * time <= direction * to)) {
    throw new RangeError(`t = ${time} is outside the trajectory, which goes from ${from} to ${to}`)
  }
  let [low, high] = [0, pieces.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (direction * times[middle]! <= direction * time) low = middle
    else high = middle - 1
  }
  return pieces[low]!
}

/** Adds the zeros within a step in the order of time; the first terminal one ends the list and is returned. */
function findEvents(
  events: Readonly<Record<string, EventFunction>>,
  piece: Piece,
  x: Float64Array,
  next: Float64Array,
  after: number,
  found: FoundEvent[],
): FoundEvent | undefined {
  const here = Object.entries(events).flatMap(([name, event]) => {
    const [before, later] = [event.value(piece.t, x), event.value(after, next)]
    const isZero = before < 0 ? later >= 0 : before > 0 && later <= 0
    const isWanted = event.direction === undefined || (event.direction === 'rising') === before < 0
    if (!isZero || !isWanted) return []
    const t = bisect((time) => event.value(time, evaluate(piece, time)), piece.t, after, before)
    return [{ event: { name, t, x: evaluate(piece, t) }, terminal: event.terminal === true }]
  })
  here.sort((a, b) => Math.abs(a.event.t - piece.t) - Math.abs(b.event.t - piece.t))
  for (const { event, terminal } of here) {
    found.push(event)
    if (terminal) return event
  }
  return undefined
}

function bisect(value: (t: number) => number, from: number, to: number, first: number): number {
  let [low, high] = [from, to]
  for (let k = 0; k < EVENT_HALVINGS; k++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (Math.sign(value(middle)) === Math.sign(first)) low = middle
    else high = middle
  }
  return high
}
