/** The shape of a multilayer perceptron: fully connected layers, one activation in all hidden ones. */
export interface Network {
  /** Sizes from the inputs to the outputs, at least two. */
  readonly layers: readonly number[]
  /** `tanh` when left out. */
  readonly hidden?: 'relu' | 'tanh'
  /**
   * What the last layer gives, and with it the loss that is trained: `linear` the squared error, half the mean over rows of Σ (p - y)²;
   * `sigmoid` the mean log loss of 0/1 answers, summed over outputs; `softmax` the mean cross-entropy. `linear` when left out.
   */
  readonly output?: 'linear' | 'sigmoid' | 'softmax'
}

/** Where the parameters of one layer are. */
export interface Layer {
  readonly inputs: number
  readonly outputs: number
  /** Of W, float64[inputs, outputs], row-major. */
  readonly weightsAt: number
  /** Of b, float64[outputs]. */
  readonly biasesAt: number
}

/** The layers in order: of each the weights, then the biases. @throws RangeError for sizes that are none. */
export function layersOf({ layers }: Network): Layer[] {
  if (layers.length < 2) throw new RangeError(`layers has ${layers.length} sizes; give inputs and outputs at least`)
  const odd = layers.find((size) => !Number.isSafeInteger(size) || size < 1)
  if (odd !== undefined) throw new RangeError(`layers has a size of ${odd}; sizes are whole numbers above 0`)
  let at = 0
  return layers.slice(1).map((outputs, l) => {
    const inputs = layers[l]!
    const layer = { inputs, outputs, weightsAt: at, biasesAt: at + inputs * outputs }
    at = layer.biasesAt + outputs
    return layer
  })
}

/** How many parameters a network has. */
export function countParameters(network: Network): number {
  return layersOf(network).reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0)
}

/**
 * Weights uniform in ±√(6 / (inputs + outputs)) of their layer, biases 0 (Glorot & Bengio, AISTATS 2010).
 * @param draw uniform numbers in [0, 1), such as `ctx.rng.uniform`; one per weight, layer by layer, row by row.
 * @returns the parameters, float64[countParameters(network)].
 */
export function initializeParameters(network: Network, draw: () => number): Float64Array {
  const parameters = new Float64Array(countParameters(network))
  for (const { inputs, outputs, weightsAt } of layersOf(network)) {
    const most = Math.sqrt(6 / (inputs + outputs))
    for (let k = 0; k < inputs * outputs; k++) parameters[weightsAt + k] = -most + 2 * most * draw()
  }
  return parameters
}

/**
 * What a network gives for rows of inputs.
 * @param x float64[rows, inputs], row-major.
 * @returns float64[rows, outputs].
 * @throws RangeError when lengths don't match.
 */
export function predict(network: Network, parameters: Float64Array, x: Float64Array): Float64Array {
  return passForward(network, layersOf(network), parameters, x).at(-1)!
}

/**
 * The loss over rows, and its exact gradient by backpropagation (Rumelhart, Hinton & Williams, Nature 323 (1986) 533).
 * @param x float64[rows, inputs]. @param y float64[rows, outputs], row-major.
 * @returns the mean loss, and its gradient, float64[parameters].
 * @throws RangeError when lengths don't match.
 */
export function differentiateLoss(
  network: Network,
  parameters: Float64Array,
  x: Float64Array,
  y: Float64Array,
): { readonly loss: number; readonly gradient: Float64Array } {
  const layers = layersOf(network)
  const values = passForward(network, layers, parameters, x)
  const rows = x.length / layers[0]!.inputs
  const outputs = values.at(-1)!
  if (y.length !== outputs.length) throw new RangeError(`y has ${y.length} values; ${outputs.length} are asked for`)
  const gradient = new Float64Array(parameters.length)
  // With each of these pairs of output and loss the slope by the last sums is the same: what was predicted less what was asked.
  let slopes = outputs.map((value, at) => (value - y[at]!) / rows)
  for (let l = layers.length - 1; l >= 0; l--) {
    const { inputs, outputs: size, weightsAt, biasesAt } = layers[l]!
    const before = l === 0 ? x : values[l - 1]!
    const back = new Float64Array(l === 0 ? 0 : before.length)
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < size; j++) {
        const slope = slopes[row * size + j]!
        gradient[biasesAt + j] = gradient[biasesAt + j]! + slope
        for (let i = 0; i < inputs; i++) {
          const at = weightsAt + i * size + j
          gradient[at] = gradient[at]! + before[row * inputs + i]! * slope
          if (l > 0) back[row * inputs + i] = back[row * inputs + i]! + parameters[at]! * slope
        }
      }
    }
    slopes = back.map((slope, at) => slope * activationSlope(network, before[at]!))
  }
  return { loss: lossOf(network, outputs, y, rows), gradient }
}

/** The values of each layer. */
function passForward(
  network: Network,
  layers: readonly Layer[],
  parameters: Float64Array,
  x: Float64Array,
): Float64Array[] {
  const count = countParameters(network)
  if (parameters.length !== count) {
    throw new RangeError(`parameters has ${parameters.length} values; the network has ${count}`)
  }
  const width = layers[0]!.inputs
  if (x.length % width !== 0) throw new RangeError(`x has ${x.length} values, which makes no rows of ${width}`)
  const rows = x.length / width
  const values: Float64Array[] = []
  layers.forEach(({ inputs, outputs, weightsAt, biasesAt }, l) => {
    const before = values[l - 1] ?? x
    const out = new Float64Array(rows * outputs)
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < outputs; j++) {
        let sum = parameters[biasesAt + j]!
        for (let i = 0; i < inputs; i++) sum += before[row * inputs + i]! * parameters[weightsAt + i * outputs + j]!
        out[row * outputs + j] = l < layers.length - 1 ? activate(network, sum) : sum
      }
    }
    values.push(l < layers.length - 1 ? out : finish(network, out, outputs))
  })
  return values
}

function activate({ hidden = 'tanh' }: Network, sum: number): number {
  return hidden === 'tanh' ? Math.tanh(sum) : Math.max(0, sum)
}

/** By the value that the activation gave. */
function activationSlope({ hidden = 'tanh' }: Network, value: number): number {
  return hidden === 'tanh' ? 1 - value * value : value > 0 ? 1 : 0
}

function finish({ output = 'linear' }: Network, sums: Float64Array, size: number): Float64Array {
  if (output === 'linear') return sums
  if (output === 'sigmoid') return sums.map((sum) => 1 / (1 + Math.exp(-sum)))
  const out = new Float64Array(sums.length)
  for (let at = 0; at < sums.length; at += size) {
    const row = sums.subarray(at, at + size)
    const most = Math.max(...row)
    const powers = row.map((sum) => Math.exp(sum - most))
    const total = powers.reduce((sum, power) => sum + power, 0)
    out.set(
      powers.map((power) => power / total),
      at,
    )
  }
  return out
}

/** Keeps the logarithm of a prediction that is certain, and wrong, finite. */
const LEAST_PROBABILITY = 1e-300

function lossOf({ output = 'linear' }: Network, predicted: Float64Array, y: Float64Array, rows: number): number {
  const log = (p: number): number => Math.log(Math.max(p, LEAST_PROBABILITY))
  let sum = 0
  predicted.forEach((p, at) => {
    if (output === 'linear') sum += 0.5 * (p - y[at]!) ** 2
    else if (output === 'softmax') sum -= y[at] === 0 ? 0 : y[at]! * log(p)
    else sum -= y[at]! * log(p) + (1 - y[at]!) * log(1 - p)
  })
  return sum / rows
}
