import { readFile } from 'node:fs/promises'

import type { Reference } from './judgement.js'

/** The reference of a workload, from this folder. */
export async function readReference(name: string): Promise<Reference> {
  const file = new URL(`./references/${name}.json`, import.meta.url)
  return JSON.parse(await readFile(file, 'utf8')) as Reference
}
