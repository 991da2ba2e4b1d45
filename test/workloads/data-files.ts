import { readFile } from 'node:fs/promises'

/** A file of data/, as text. */
export async function readData(name: string): Promise<string> {
  return await readFile(new URL(`./data/${name}`, import.meta.url), 'utf8')
}

/** The rows of numbers of a CSV file of data/, without its comment and header. */
export async function readRows(name: string): Promise<number[][]> {
  const text = await readData(name)
  return text
    .split('\n')
    .filter((line) => /^[-\d.]/.test(line))
    .map((line) => line.split(',').map(Number))
}

/** So many neighbours at a time; the last piece has the rest. */
export function chunksOf<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, k) => values.slice(k * size, (k + 1) * size))
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, k) => from + k)
}

export function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
