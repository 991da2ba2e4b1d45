import type { ScatteredObject } from './scattered-object.js'

/** What may be on its way in or out at a time, beside what the program holds itself. */
const ahead = 2

/**
 * Values that were scattered one after the other, such as the chunks of an array that no single worker, or not even this
 * program, has room for. Each is an object of its own, on a worker of its own choice: `cluster.map(task, scattered.parts)` runs a
 * task on each, `cluster.submit(task, scattered.parts)` gives one task all of them, as a list.
 */
export class ScatteredChunks<T> {
  /** In order. */
  readonly parts: readonly ScatteredObject<T>[]

  /** @internal Clusters make them. */
  constructor(parts: readonly ScatteredObject<T>[]) {
    this.parts = parts
  }

  /** Of all chunks together. */
  get byteLength(): number {
    return this.parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /**
   * The chunks in order, brought back while they are used: this program holds a few of them at a time. Each is whole, and what it
   * was, when it is given out.
   *
   * @throws MeshError DATA_LOSS or UNAVAILABLE, with the part's id, when one cannot be had.
   */
  async *chunks(): AsyncGenerator<T, void> {
    const coming: Promise<T>[] = []
    const fetch = (part: ScatteredObject<T>): Promise<T> => {
      const chunk = part.result()
      // Whoever stops before it comes to this one never hears of it.
      chunk.catch(() => undefined)
      return chunk
    }
    for (const part of this.parts) {
      coming.push(fetch(part))
      if (coming.length > ahead) yield (await coming.shift()) as T
    }
    for (const chunk of coming) yield await chunk
  }

  /** Gives all of them up: workers forget them once no task needs them. */
  release(): void {
    for (const part of this.parts) part.release()
  }
}

/** So much may be under way to workers at a time, and one chunk in any case. */
const mostBytes = 64 * 2 ** 20
const mostChunks = 128

/** @internal Scatters chunks as they come, several at a time. What was scattered before one failed is given up. */
export async function scatterEach<T>(
  chunks: AsyncIterable<T> | Iterable<T>,
  scatter: (chunk: T) => Promise<ScatteredObject<T>>,
): Promise<ScatteredChunks<T>> {
  const parts: Promise<ScatteredObject<T>>[] = []
  const underWay = new Map<Promise<unknown>, number>()
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      const length = ArrayBuffer.isView(chunk) ? chunk.byteLength : 0
      while (underWay.size >= mostChunks || (underWay.size > 0 && bytes + length > mostBytes)) {
        await Promise.race(underWay.keys())
      }
      const part = scatter(chunk)
      const done = part.finally(() => {
        underWay.delete(done)
        bytes -= length
      })
      // Its failure is seen below.
      done.catch(() => undefined)
      underWay.set(done, length)
      bytes += length
      parts.push(part)
    }
    return new ScatteredChunks(await Promise.all(parts))
  } catch (error) {
    for (const part of await Promise.allSettled(parts)) if (part.status === 'fulfilled') part.value.release()
    throw error
  }
}
