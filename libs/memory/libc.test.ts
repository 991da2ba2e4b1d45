import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { expect, test } from 'vitest'

import { findLibC } from './libc.js'

const libc = findLibC()
if (libc === undefined)
  console.warn('SKIPPED: memory that goes back to the system: there is no C library that can be called')
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const largeBytes = 8 * 2 ** 20

const kept: ArrayBuffer[] = []

/** Long buffers, each with a short one behind it that stays. */
function comeAndGo(count: number): void {
  for (const large of Array.from({ length: count }, () => new Uint8Array(largeBytes).fill(1))) {
    kept.push(new ArrayBuffer(large.length / 80))
  }
}

test.skipIf(libc === undefined)(
  'long memory that is freed goes back to the system, whatever lies behind it',
  async () => {
    libc?.giveBackFrom(largeBytes / 2)
    const before = process.memoryUsage.rss()
    // malloc would learn from the first ones to keep such lengths in its heap.
    for (const count of [2, 40, 40]) {
      comeAndGo(count)
      await expect.poll(leftBytes).toBeLessThan(10 * largeBytes)
    }

    function leftBytes(): number {
      collect()
      return process.memoryUsage.rss() - before
    }
  },
)
