import { stat } from 'node:fs/promises'

import type { PoolSpec } from './pools.js'
import { renderScript, type SubmitOrder, type WorkerLaunch } from './script.js'

/** The pools as the file has them now, and the scripts that come of them. */
export interface PoolBook {
  readonly pools: readonly PoolSpec[]
  /** What is wrong with the file as it is now; the pools are those from before. */
  readonly problem: string | undefined
  find(name: string): PoolSpec | undefined
  /** The script of one submit. @throws Error for a pool that is unknown. */
  scriptOf(pool: string, order: Omit<SubmitOrder, 'tag'> & { readonly key: string }): string
  /** Reads the file again if it has changed; the pools when they are others. */
  refresh(): Promise<readonly PoolSpec[] | undefined>
}

export interface PoolBookOptions {
  /** Ten hexadecimal digits. */
  readonly mesh: string
  readonly launch: WorkerLaunch
  readonly file: string | undefined
  readonly read: (file: string) => Promise<readonly PoolSpec[]>
  readonly pools: readonly PoolSpec[]
}

/** @throws RangeError when the script of a pool cannot be written. */
export async function openPoolBook({ mesh, launch, file, read, ...first }: PoolBookOptions): Promise<PoolBook> {
  let { pools } = first
  let problem: string | undefined
  let seen = await stampOf(file)
  checkScripts(pools)

  function render(pool: PoolSpec, { key, ...order }: Omit<SubmitOrder, 'tag'> & { readonly key: string }): string {
    return renderScript(pool, { ...order, tag: { mesh, pool: pool.limits.name, key } }, launch)
  }

  /** A pool whose script cannot be written is wrong from the start, not when its first worker is wanted. */
  function checkScripts(some: readonly PoolSpec[]): void {
    for (const pool of some) render(pool, { key: 'check', count: 1, excludedNodes: [], carrier: {} })
  }

  const find = (name: string): PoolSpec | undefined => pools.find(({ limits }) => limits.name === name)
  return {
    get pools() {
      return pools
    },
    get problem() {
      return problem
    },
    find,
    scriptOf: (name, order) => {
      const pool = find(name)
      if (pool === undefined) throw new Error(`there is no pool ${name} in the pools file`)
      return render(pool, order)
    },
    refresh: async () => {
      if (file === undefined) return undefined
      const now = await stampOf(file)
      if (now === seen) return undefined
      seen = now
      try {
        const changed = await read(file)
        checkScripts(changed)
        problem = undefined
        pools = changed
        return pools
      } catch (error) {
        problem = (error as Error).message
        return undefined
      }
    },
  }
}

/** What changes when the file does; also on file systems that announce nothing. */
async function stampOf(file: string | undefined): Promise<string> {
  if (file === undefined) return ''
  try {
    const { mtimeMs, size, ino } = await stat(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return 'missing'
  }
}
