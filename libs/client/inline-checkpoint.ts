import type { InputBody } from '#libs/submission'
import { type CheckpointInfo, CheckpointPace, type Codecs, type SavedCheckpoint, type TaskCheckpoint } from '#libs/task'

import { putTogether, takeApart } from './inline-body.js'

/** A task's checkpoint in memory, taken apart and put together as on a mesh. Outlives the task's attempts. */
export interface InlineCheckpoint {
  /** For an attempt that is stopped by this signal. */
  of(signal: AbortSignal): TaskCheckpoint
}

export function createInlineCheckpoint(taskId: string, codecs: Codecs): InlineCheckpoint {
  const what = `the checkpoint of task ${taskId}`
  let saved: { readonly body: InputBody; readonly version: number; readonly info: CheckpointInfo } | undefined
  return {
    of: (signal) => {
      const pace = new CheckpointPace(performance.now())
      return {
        save: async (state, info = {}) => {
          if (!pace.isDue(info, performance.now(), signal.aborted)) return
          saved = { body: takeApart(state, what, { codecs }), version: (saved?.version ?? 0) + 1, info }
        },
        load: async <T>(): Promise<SavedCheckpoint<T> | undefined> => {
          pace.resumeAt(performance.now(), saved?.info.iteration)
          if (saved === undefined) return undefined
          const { body, version, info } = saved
          const { iteration, cost, labels = {} } = info
          return {
            state: putTogether(body, { codecs, what }) as T,
            version,
            ...(iteration === undefined ? {} : { iteration }),
            ...(cost === undefined ? {} : { cost }),
            labels: { ...labels },
          }
        },
      }
    },
  }
}
