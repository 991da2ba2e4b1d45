import { type Cluster, task, type TaskFuture } from 'costate'
import { distributeComputation, scatterGatherReduction } from 'costate/primitives'
import { CholeskyDecomposition, Matrix, QrDecomposition, SingularValueDecomposition, solve } from 'ml-matrix'

import { createRng } from '#libs/domain'

import { range, sum } from './data-files.js'
import type { Workload } from './workload.js'

/** A dense block, row-major. */
interface Block {
  readonly rows: number
  readonly columns: number
  readonly values: Float64Array
}

const read = ({ rows, columns, values }: Block): Matrix => Matrix.from1DArray(rows, columns, values)
const write = (matrix: Matrix): Block => ({
  rows: matrix.rows,
  columns: matrix.columns,
  values: Float64Array.from(matrix.to1DArray()),
})

/** The tasks of a blocked Cholesky factorisation: a diagonal block, a block below it, and what these take from a later one. */
export const factorBlock = task(import.meta, 'factorBlock', async (a: Block) =>
  write(new CholeskyDecomposition(read(a)).lowerTriangularMatrix),
)
export const solveBlock = task(import.meta, 'solveBlock', async (l: Block, a: Block) =>
  write(solve(read(l), read(a).transpose()).transpose()),
)
export const subtractProduct = task(import.meta, 'subtractProduct', async (c: Block, a: Block, b: Block) =>
  write(read(c).sub(read(a).mmul(read(b).transpose()))),
)

const isBlock = (block: Block | TaskFuture<Block> | undefined): block is Block | TaskFuture<Block> =>
  block !== undefined

/** L of A = L Lᵀ as a graph of tasks over blocks. */
async function factorBlocked(
  cluster: Cluster,
  n: number,
  size: number,
  entry: (i: number, j: number) => number,
): Promise<Matrix> {
  const count = Math.ceil(n / size)
  const [from, to] = [(k: number) => k * size, (k: number) => Math.min(n, (k + 1) * size)]
  const futures = cluster.graph((graph) => {
    const blocks: (Block | TaskFuture<Block>)[][] = range(0, count).map((i) =>
      range(0, i + 1).map((j) => {
        const rows = range(from(i), to(i)).map((row) => range(from(j), to(j)).map((column) => entry(row, column)))
        return write(new Matrix(rows))
      }),
    )
    for (let k = 0; k < count; k++) {
      blocks[k]![k] = graph.task(factorBlock, blocks[k]![k]!)
      for (let i = k + 1; i < count; i++) blocks[i]![k] = graph.task(solveBlock, blocks[k]![k]!, blocks[i]![k]!)
      for (let i = k + 1; i < count; i++) {
        for (let j = k + 1; j <= i; j++)
          blocks[i]![j] = graph.task(subtractProduct, blocks[i]![j]!, blocks[i]![k]!, blocks[j]![k]!)
      }
    }
    return blocks.flat().filter(isBlock) as TaskFuture<Block>[]
  })
  const done = await cluster.gather(futures)
  const l = Matrix.zeros(n, n)
  let at = 0
  for (let i = 0; i < count; i++) for (let j = 0; j <= i; j++) l.setSubMatrix(read(done[at++]!), from(i), from(j))
  return l
}

async function answerCholesky(cluster: Cluster): Promise<Record<string, unknown>> {
  const factors = [
    await factorBlocked(cluster, 240, 32, (i, j) => Math.min(i, j) + 1),
    await factorBlocked(cluster, 240, 50, (i, j) => Math.min(i, j) + 1),
  ]
  const isOnes = (l: Matrix): boolean =>
    range(0, 240).every((i) => range(0, 240).every((j) => l.get(i, j) === Number(j <= i)))
  const hilbert = await factorBlocked(cluster, 6, 2, (i, j) => 1 / (i + j + 1))
  const logDeterminant = 2 * sum(factors[0]!.diagonal().map(Math.log))
  return {
    L_all_ones: factors.every(isOnes),
    logdet: logDeterminant,
    hilbert6_det: hilbert.diagonal().reduce((product, value) => product * value ** 2, 1),
  }
}

interface TileProduct {
  readonly rows: readonly [number, number]
  readonly columns: readonly [number, number]
  readonly inner: readonly [number, number]
}

const leftEntry = (i: number, j: number): number => ((7 * i + 3 * j + i * j) % 11) - 5
const rightEntry = (i: number, j: number): number => ((5 * i + 2 * j + 3 * i * j) % 13) - 6

export const multiplyTiles = task(
  import.meta,
  'multiplyTiles',
  async ({ rows, columns, inner }: TileProduct): Promise<Block> => {
    const a = new Matrix(range(...rows).map((i) => range(...inner).map((k) => leftEntry(i, k))))
    const b = new Matrix(range(...inner).map((k) => range(...columns).map((j) => rightEntry(k, j))))
    return write(a.mmul(b))
  },
)
export const addBlocks = task(import.meta, 'addBlocks', async (blocks: readonly Block[]) =>
  write(blocks.map(read).reduce((all, block) => all.add(block))),
)

async function multiplyTiled(cluster: Cluster, size: number): Promise<Matrix> {
  const [m, n, inner] = [256, 320, 192]
  const cuts = (length: number): (readonly [number, number])[] =>
    range(0, Math.ceil(length / size)).map((k) => [k * size, Math.min(length, (k + 1) * size)] as const)
  const tiles = cuts(m).flatMap((rows) => cuts(n).map((columns) => ({ rows, columns })))
  const futures = cluster.graph((graph) =>
    tiles.map((tile) =>
      graph.task(
        addBlocks,
        cuts(inner).map((part) => graph.task(multiplyTiles, { ...tile, inner: part })),
      ),
    ),
  )
  const c = Matrix.zeros(m, n)
  for (const [k, block] of (await cluster.gather(futures)).entries())
    c.setSubMatrix(read(block), tiles[k]!.rows[0], tiles[k]!.columns[0])
  return c
}

async function answerMatmul(cluster: Cluster): Promise<Record<string, unknown>> {
  const c = await multiplyTiled(cluster, 64)
  const other = await multiplyTiled(cluster, 50)
  if (Matrix.sub(c, other).norm() !== 0) throw new Error('tiles of 64 and of 50 give different products')
  const values = c.to1DArray()
  return {
    ...{
      sum: sum(values),
      sum_sq: sum(values.map((value) => value * value)),
      trace256: sum(range(0, 256).map((i) => c.get(i, i))),
    },
    ...{ C_0_0: c.get(0, 0), C_100_200: c.get(100, 200), C_255_319: c.get(255, 319), min: c.min(), max: c.max() },
  }
}

/** R of a QR factorisation, with a diagonal above 0, which makes it the only one. */
function triangleOf(a: Matrix): Matrix {
  const r = new QrDecomposition(a).upperTriangularMatrix
  return new Matrix(r.to2DArray().map((row, i) => row.map((value) => value * Math.sign(r.get(i, i)))))
}

const tall = { columns: 12, blockRows: 1_000, blocks: 20 }

export const factorRows = task(import.meta, 'factorRows', async (block: number) => {
  const { columns, blockRows } = tall
  const values = createRng(61, 0, block * blockRows * columns).uniforms(blockRows * columns)
  return write(triangleOf(Matrix.from1DArray(blockRows, columns, values)))
})
export const factorPair = task(import.meta, 'factorPair', async (above: Block, below: Block) => {
  const rows = [...read(above).to2DArray(), ...read(below).to2DArray()]
  return write(triangleOf(new Matrix(rows)))
})

async function answerTallSkinny(cluster: Cluster): Promise<Record<string, unknown>> {
  const data = range(0, tall.blocks)
  const r = read(await scatterGatherReduction({ cluster, data, mapFn: factorRows, reduceFn: factorPair, chunkSize: 1 }))
  const diagonal = r.diagonal()
  return {
    ...{ R_diag: diagonal, R_first_row: r.getRow(0), logabsdet: sum(diagonal.map(Math.log)), fro: r.norm() },
    singular_values: new SingularValueDecomposition(r).diagonal,
  }
}

const low = { rows: 400, columns: 300, rank: 10, sketch: 20 }
const cosine = (n: number, i: number, k: number): number =>
  Math.sqrt(2 / n) * Math.cos((Math.PI * (i + 0.5) * (k + 1)) / n)

/** Rows of the matrix whose singular values are powers of 1/2. */
function lowRankRows(from: number, to: number): Matrix {
  return new Matrix(
    range(from, to).map((i) =>
      range(0, low.columns).map((j) =>
        sum(range(0, 40).map((k) => 2 ** -k * cosine(low.rows, i, k) * cosine(low.columns, j, k))),
      ),
    ),
  )
}

export const sketchRows = task(
  import.meta,
  'sketchRows',
  async ({ from, to, right }: { from: number; to: number; right: Block }) =>
    write(lowRankRows(from, to).mmul(read(right))),
)
export const sketchColumns = task(
  import.meta,
  'sketchColumns',
  async ({ from, to, left }: { from: number; to: number; left: Block }) =>
    write(lowRankRows(from, to).transpose().mmul(read(left))),
)

async function answerRandomizedSvd(cluster: Cluster): Promise<Record<string, unknown>> {
  const cuts = range(0, 8).map((k) => [k * 50, (k + 1) * 50] as const)
  const applyRight = async (right: Matrix): Promise<Matrix> => {
    const parts = await distributeComputation(
      sketchRows,
      cuts.map(([from, to]) => ({ from, to, right: write(right) })),
      cluster,
    )
    return new Matrix(parts.flatMap((part) => read(part).to2DArray()))
  }
  const applyLeft = async (left: Matrix): Promise<Matrix> => {
    const orders = cuts.map(([from, to]) => ({
      from,
      to,
      left: write(left.subMatrix(from, to - 1, 0, left.columns - 1)),
    }))
    const parts = await distributeComputation(sketchColumns, orders, cluster)
    return parts.map(read).reduce((all, part) => all.add(part))
  }
  const basis = (matrix: Matrix): Matrix => new QrDecomposition(matrix).orthogonalMatrix
  const gaussian = Matrix.from1DArray(low.columns, low.sketch, createRng(62, 0).normals(low.columns * low.sketch))
  const first = basis(await applyRight(gaussian))
  const q = basis(await applyRight(basis(await applyLeft(first))))
  const { diagonal } = new SingularValueDecomposition(await applyLeft(q))
  return { singular_values: diagonal.slice(0, low.rank) }
}

export const linearAlgebraWorkloads: readonly Workload[] = [
  { name: 'la-blocked-cholesky', section: 'linear-algebra', answer: answerCholesky },
  { name: 'la-randomized-svd', section: 'linear-algebra', answer: answerRandomizedSvd },
  { name: 'la-tiled-matmul', section: 'linear-algebra', answer: answerMatmul },
  { name: 'la-tsqr', section: 'linear-algebra', answer: answerTallSkinny },
]
