import type { InputBody } from '#libs/submission'
import type { CheckpointInfo, Codecs, SavedCheckpoint, TaskCheckpoint } from '#libs/task'

import { putTogether, takeApart } from './inline-body.js'

/** A task's checkpoint in memory, taken apart and put together as on a mesh. */
export function createInlineCheckpoint(taskId: string, codecs: Codecs): TaskCheckpoint {
  const what = `the checkpoint of task ${taskId}`
  let saved: { readonly body: InputBody; readonly version: number; readonly info: CheckpointInfo } | undefined
  return {
    save: async (state, info = {}) => {
      saved = { body: takeApart(state, what, { codecs }), version: (saved?.version ?? 0) + 1, info }
    },
    load: async <T>(): Promise<SavedCheckpoint<T> | undefined> => {
      if (saved === undefined) return undefined
      const { body, version, info } = saved
      const { iteration, cost } = info
      return {
        state: putTogether(body, { codecs, what }) as T,
        version,
        ...(iteration === undefined ? {} : { iteration }),
        ...(cost === undefined ? {} : { cost }),
      }
    },
  }
}
