import { type Cluster, task } from 'costate'
import { distributeComputation } from 'costate/primitives'

import { createRng } from '#libs/domain'

import { range, sum } from './data-files.js'
import type { Workload } from './workload.js'

/** Rows of a grid with the row before and the row after, zeros at the border; float64[rows + 2, n]. */
interface RowBlock {
  readonly n: number
  readonly values: Float64Array
}

/** (A u)ᵢⱼ = 4 uᵢⱼ less the four neighbours, on the rows of a block, and uᵀA u over them. */
export const applyPoisson = task(import.meta, 'applyPoisson', async ({ n, values }: RowBlock) => {
  const rows = values.length / n - 2
  const product = new Float64Array(rows * n)
  let energy = 0
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < n; j++) {
      const at = (i + 1) * n + j
      const beside = (j > 0 ? values[at - 1]! : 0) + (j < n - 1 ? values[at + 1]! : 0)
      const value = 4 * values[at]! - beside - values[at - n]! - values[at + n]!
      product[i * n + j] = value
      energy += value * values[at]!
    }
  }
  return { product, energy }
})

const blockRows = 32

/** Conjugate gradients (Hestenes & Stiefel 1952), with the products in blocks of rows. */
async function solvePoisson(
  cluster: Cluster,
  n: number,
  b: Float64Array,
  tolerance: number,
): Promise<{ u: Float64Array; iterations: number }> {
  const dot = (x: Float64Array, y: Float64Array): number => x.reduce((total, value, i) => total + value * y[i]!, 0)
  const u = new Float64Array(n * n)
  const r = b.slice()
  let p = r.slice()
  let rr = dot(r, r)
  const goal = tolerance ** 2 * rr
  let iterations = 0
  for (; rr > goal; iterations++) {
    const padded = new Float64Array((n + 2) * n)
    padded.set(p, n)
    const orders = range(0, Math.ceil(n / blockRows)).map((k) => ({
      n,
      values: padded.slice(k * blockRows * n, Math.min(n + 2, (k + 1) * blockRows + 2) * n),
    }))
    const parts = await distributeComputation(applyPoisson, orders, cluster)
    const step = rr / sum(parts.map(({ energy }) => energy))
    const product = Float64Array.from(parts.flatMap((part) => [...part.product]))
    for (let i = 0; i < u.length; i++) {
      u[i] = u[i]! + step * p[i]!
      r[i] = r[i]! - step * product[i]!
    }
    const next = dot(r, r)
    p = r.map((value, i) => value + (next / rr) * p[i]!)
    rr = next
  }
  return { u, iterations }
}

const modes = [1, 16, 32, 48, 63]

async function answerPoisson(cluster: Cluster): Promise<Record<string, unknown>> {
  const problem1: Record<string, unknown> = {}
  for (const n of [31, 63, 127]) {
    const h = 1 / (n + 1)
    const { u, iterations } = await solvePoisson(cluster, n, new Float64Array(n * n).fill(h * h), 1e-10)
    const centre = ((n - 1) / 2) * (n + 1)
    problem1[`n${n}`] = {
      n,
      u_center: u[centre],
      mean_integral: h * h * u.reduce((total, value) => total + value, 0),
      cg_iterations: iterations,
    }
  }
  const n = 63
  const sines = modes.map((mode) => range(1, n + 1).map((i) => Math.sin((Math.PI * mode * i) / (n + 1))))
  const b = Float64Array.from({ length: n * n }, (_, at) =>
    sum(sines.map((sine) => sine[Math.floor(at / n)]! * sine[at % n]!)),
  )
  const { iterations } = await solvePoisson(cluster, n, b, 1e-11)
  const eigenvalues = modes.map((mode) => 8 * Math.sin((Math.PI * mode) / (2 * (n + 1))) ** 2)
  return { problem1, problem2: { iterations, eigenvalue_sum: eigenvalues } }
}

/** Complex values, real and imaginary parts apart. */
interface Line {
  readonly re: Float64Array
  readonly im: Float64Array
}

/** The discrete Fourier transform of a line whose length is a power of two (Cooley & Tukey 1965). */
function transform({ re, im }: Line): Line {
  const n = re.length
  if (n === 1) return { re, im }
  const pick = (values: Float64Array, first: number): Float64Array => values.filter((_, k) => k % 2 === first)
  const even = transform({ re: pick(re, 0), im: pick(im, 0) })
  const odd = transform({ re: pick(re, 1), im: pick(im, 1) })
  const out = { re: new Float64Array(n), im: new Float64Array(n) }
  for (let k = 0; k < n / 2; k++) {
    const [cos, sin] = [Math.cos((-2 * Math.PI * k) / n), Math.sin((-2 * Math.PI * k) / n)]
    const turnedRe = cos * odd.re[k]! - sin * odd.im[k]!
    const turnedIm = cos * odd.im[k]! + sin * odd.re[k]!
    out.re[k] = even.re[k]! + turnedRe
    out.im[k] = even.im[k]! + turnedIm
    out.re[k + n / 2] = even.re[k]! - turnedRe
    out.im[k + n / 2] = even.im[k]! - turnedIm
  }
  return out
}

export const transformLines = task(import.meta, 'transformLines', async (lines: readonly Line[]) =>
  lines.map(transform),
)

function transpose(lines: readonly Line[]): Line[] {
  return range(0, lines[0]!.re.length).map((j) => ({
    re: Float64Array.from(lines, ({ re }) => re[j]!),
    im: Float64Array.from(lines, ({ im }) => im[j]!),
  }))
}

async function answerFourier(cluster: Cluster): Promise<Record<string, unknown>> {
  const [rows, columns] = [64, 128]
  const values = createRng(63, 0)
    .uniforms(rows * columns)
    .map((value) => value - 0.5)
  const lines = range(0, rows).map((i) => ({
    re: values.slice(i * columns, (i + 1) * columns),
    im: new Float64Array(columns),
  }))
  const transformAll = async (all: readonly Line[]): Promise<Line[]> =>
    (
      await distributeComputation(
        transformLines,
        range(0, 8).map((k) => all.slice((k * all.length) / 8, ((k + 1) * all.length) / 8)),
        cluster,
      )
    ).flat()
  const spectrum = transpose(await transformAll(transpose(await transformAll(lines))))
  const bin = (k: number, l: number): number[] => [spectrum[k]!.re[l]!, spectrum[k]!.im[l]!]
  const energy = (line: Line): number => sum(line.re.map((re, j) => re * re + line.im[j]! ** 2))
  return {
    ...{ X_0_0: bin(0, 0)[0], X_3_5: bin(3, 5), X_63_127: bin(63, 127) },
    ...{ energy_time: sum(lines.map(energy)), energy_freq_over_N: sum(spectrum.map(energy)) / (rows * columns) },
  }
}

export const gridWorkloads: readonly Workload[] = [
  { name: 'la-cg-poisson', section: 'linear-algebra', answer: answerPoisson },
  { name: 'la-fft-parseval', section: 'linear-algebra', answer: answerFourier },
]
