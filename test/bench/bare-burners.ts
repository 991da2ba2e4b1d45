import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Bare processes that do the work of workers: no mesh, nothing between them. */
export interface BareBurners extends AsyncDisposable {
  /** So many of them do so much each, at the same time; what each has computed, once all are done. */
  run(processes: number, work: { readonly tasks: number; readonly steps: number }): Promise<readonly number[]>
}

const program = fileURLToPath(new URL('./bare-burner.mjs', import.meta.url))

export function startBareBurners(count: number): BareBurners {
  const children = Array.from({ length: count }, () => fork(program, { execArgv: [] }))
  const ask = async (child: ChildProcess, work: object): Promise<number> => {
    const over = new AbortController()
    const { signal } = over
    const answered = Promise.race([once(child, 'message', { signal }), once(child, 'exit', { signal }).then(refuse)])
    child.send(work)
    try {
      const [sum] = (await answered) as [number]
      return sum
    } finally {
      // Else each run would leave its listeners.
      over.abort()
    }
  }
  return {
    run: (processes, work) => Promise.all(children.slice(0, processes).map((child) => ask(child, work))),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null) return
          const exited = once(child, 'exit')
          child.disconnect()
          await exited
        }),
      )
    },
  }
}

function refuse(): never {
  throw new Error('a bare process ended before its work was done')
}
