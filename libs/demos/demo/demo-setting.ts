import { createInlineCluster, createLocalCluster, type LocalClusterOptions } from 'costate'
import type { RunProgress } from 'costate/primitives'

import { createProgress, type Progress } from '../progress/progress.js'
import type { Setting } from './demo.js'
import type { DemoFlags } from './flags.js'
import { whyNoProcesses } from './process-probe.js'

export interface OpenSetting extends Setting {
  /** Leaves the line of a progress bar that is not at its end. */
  readonly close: () => void
}

/** Finds out where a demo can run; what it says on the way goes to the stream, which is standard error. */
export async function openSetting(
  { inline, reduced }: DemoFlags,
  folder: string,
  stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'> = process.stderr,
): Promise<OpenSetting> {
  const obstacle = await whyNoProcesses()
  let bar: Progress | undefined
  let slots = 1
  const close = (): void => {
    bar?.finish()
    bar = undefined
  }
  const say = (text: string): void => {
    close()
    stream.write(`${text}\n`)
  }
  if (inline) say('inline, as asked for: everything runs in this process')
  else if (obstacle !== undefined)
    say(`inline: no process can be started here (${obstacle}), so everything runs in this one`)
  const isInline = inline || obstacle !== undefined
  const startCluster = async (options: LocalClusterOptions = {}) => {
    if (isInline) return createInlineCluster()
    const cluster = await createLocalCluster({ ...options, runDir: folder })
    slots = (await cluster.workers()).reduce((sum, worker) => sum + worker.slots, 0)
    return cluster
  }
  const follow = (label: string, unit = 'tasks') => {
    const startedAtMs = performance.now()
    let own: Progress | undefined
    return ({ done, failed, total }: RunProgress): void => {
      if (own === undefined) {
        close()
        bar = own = createProgress({
          ...{ stream, isTty: stream.isTTY, nowMs: () => performance.now() },
          ...{ label, total, unit, startedAtMs },
        })
      }
      own.update({ done: done - failed, failed, running: Math.min(slots, total - done) })
      if (done >= total) own.finish()
    }
  }
  return {
    isReduced: reduced,
    isInline,
    canStartProcesses: obstacle === undefined,
    folder,
    startCluster,
    say,
    follow,
    close,
  }
}
