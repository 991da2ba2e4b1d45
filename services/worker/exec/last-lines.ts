import type { TaskFailure } from '#libs/domain'

const mostLines = 5
const mostUnits = 400
/** What Node prints of its own stack when it aborts says nothing of the task. */
const stackLine = /^\s*(?:$|\d+: |-{5})/

/** The last lines that a task wrote, for the story of its end. */
export interface LastLines {
  add(text: string): void
  clear(): void
  /** The failure, telling them. */
  addTo(failure: TaskFailure): TaskFailure
}

export function createLastLines(): LastLines {
  let lines: string[] = []
  return {
    add: (text) => {
      if (stackLine.test(text)) return
      lines.push(text.slice(0, mostUnits))
      if (lines.length > mostLines) lines.shift()
    },
    clear: () => (lines = []),
    addTo: (failure) => {
      // What was thrown tells its own story.
      if (lines.length === 0 || failure.errorName !== undefined) return failure
      return { ...failure, message: `${failure.message}; the last lines that it wrote:\n${lines.join('\n')}` }
    },
  }
}
