import { differentiateLoss, initializeParameters, type Network } from './network.js'

/** How far a training has come: all that it needs to go on from here. */
export interface TrainingState {
  /** Epochs that are done. */
  readonly epoch: number
  /** Over all rows, before the next update; with batches, the mean of the epoch's. */
  readonly loss: number
  /** float64[parameters]. */
  readonly parameters: Float64Array
  /** Adam's means of the gradient and of its square, float64[parameters] each, and how many updates they have seen. */
  readonly moments: { readonly first: Float64Array; readonly second: Float64Array; readonly updates: number }
}

export interface TrainingOptions {
  readonly network: Network
  /** float64[rows, inputs], row-major. */
  readonly x: Float64Array
  /** float64[rows, outputs], row-major. */
  readonly y: Float64Array
  readonly epochs: number
  /** 1e-3 when left out. */
  readonly learningRate?: number
  /** `adam` when left out (Kingma & Ba, ICLR 2015: β₁ 0.9, β₂ 0.999, ε 1e-8). */
  readonly optimizer?: 'adam' | 'gradientDescent'
  /** Rows to an update; all of them when left out. */
  readonly batchSize?: number
  /** Uniform numbers in [0, 1), such as `() => ctx.rng.uniform()`: for the first weights, then for the order of the rows in batches. */
  readonly draw: () => number
  /** The first parameters; drawn when left out. */
  readonly parameters?: Float64Array
  /** A state that `onIterate` was given, to go on from: bit-equal to not having stopped where all rows make one update. */
  readonly from?: TrainingState
  /** Called before the first epoch and after each; for progress, early ends and checkpoints. */
  readonly onIterate?: (state: TrainingState) => void
  readonly signal?: AbortSignal
}

const BETA_1 = 0.9
const BETA_2 = 0.999
const EPSILON = 1e-8

/**
 * Trains a network on rows and answers.
 * @returns the state after the last epoch.
 * @throws RangeError when an argument is malformed; Error when the loss is no longer finite; the signal's reason when it is aborted.
 */
export function trainNetwork(options: TrainingOptions): TrainingState {
  const { network, x, y, epochs, learningRate = 1e-3, batchSize, draw, onIterate, signal } = options
  const [inputs, outputs] = [network.layers[0]!, network.layers.at(-1)!]
  const rows = x.length / inputs
  if (!Number.isSafeInteger(epochs) || epochs < 0) throw new RangeError(`epochs is ${epochs}; give a whole number ≥ 0`)
  if (!(learningRate > 0)) throw new RangeError(`learningRate is ${learningRate}; it must be above 0`)
  if (rows === 0) throw new RangeError('x has no rows')
  if (batchSize !== undefined && !(Number.isSafeInteger(batchSize) && batchSize >= 1)) {
    throw new RangeError(`batchSize is ${batchSize}; give a whole number above 0`)
  }
  const start = options.from?.parameters ?? options.parameters ?? initializeParameters(network, draw)
  const parameters = start.slice()
  const none = (): Float64Array => new Float64Array(parameters.length)
  const moments = { first: none(), second: none(), updates: 0, ...options.from?.moments }
  moments.first = moments.first.slice()
  moments.second = moments.second.slice()
  const state = (epoch: number, loss: number): TrainingState => ({
    ...{ epoch, loss, parameters: parameters.slice() },
    moments: { first: moments.first.slice(), second: moments.second.slice(), updates: moments.updates },
  })
  const measure = (): number => differentiateLoss(network, parameters, x, y).loss
  const firstEpoch = options.from?.epoch ?? 0
  onIterate?.(state(firstEpoch, measure()))
  const order = Uint32Array.from({ length: rows }, (_, row) => row)
  for (let epoch = firstEpoch; epoch < epochs; epoch++) {
    signal?.throwIfAborted()
    const size = batchSize ?? rows
    if (size < rows) shuffle(order, draw)
    for (let first = 0; first < rows; first += size) {
      const batch = size >= rows ? { x, y } : takeBatch(x, y, order.subarray(first, first + size), inputs, outputs)
      const { gradient } = differentiateLoss(network, parameters, batch.x, batch.y)
      moments.updates++
      if (options.optimizer === 'gradientDescent') descend(parameters, gradient, learningRate)
      else stepAdam(parameters, gradient, moments, learningRate)
    }
    if (!parameters.every(Number.isFinite)) {
      throw new Error(
        `the parameters are not finite after epoch ${epoch + 1}; lower the learning rate (${learningRate})`,
      )
    }
    if (onIterate !== undefined) onIterate(state(epoch + 1, measure()))
  }
  return state(Math.max(epochs, firstEpoch), measure())
}

function descend(parameters: Float64Array, gradient: Float64Array, learningRate: number): void {
  for (let k = 0; k < parameters.length; k++) parameters[k] = parameters[k]! - learningRate * gradient[k]!
}

function stepAdam(
  parameters: Float64Array,
  gradient: Float64Array,
  { first, second, updates }: TrainingState['moments'],
  learningRate: number,
): void {
  const [keep1, keep2] = [1 - BETA_1 ** updates, 1 - BETA_2 ** updates]
  for (let k = 0; k < parameters.length; k++) {
    first[k] = BETA_1 * first[k]! + (1 - BETA_1) * gradient[k]!
    second[k] = BETA_2 * second[k]! + (1 - BETA_2) * gradient[k]! ** 2
    parameters[k] = parameters[k]! - (learningRate * (first[k]! / keep1)) / (Math.sqrt(second[k]! / keep2) + EPSILON)
  }
}

/** Fisher & Yates. */
function shuffle(order: Uint32Array, draw: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
}

function takeBatch(
  x: Float64Array,
  y: Float64Array,
  rows: Uint32Array,
  inputs: number,
  outputs: number,
): { x: Float64Array; y: Float64Array } {
  const batch = { x: new Float64Array(rows.length * inputs), y: new Float64Array(rows.length * outputs) }
  rows.forEach((row, k) => {
    batch.x.set(x.subarray(row * inputs, (row + 1) * inputs), k * inputs)
    batch.y.set(y.subarray(row * outputs, (row + 1) * outputs), k * outputs)
  })
  return batch
}
