import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/**
 * Gives back the memory of arrays that nobody uses any more. Node does that when it thinks fit, which for large arrays is late:
 * a worker is over its limit before. Takes some tens of milliseconds: for when memory is nearly full.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    // Without a restart of Node there is no other way to it.
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
