import type { Outlet } from '../effects/outlet.js'

/** Hears what the other end of a stream says, until either end has said all. */
export function listen<In, Out>(incoming: AsyncIterator<In>, hear: (message: In) => void, outlet: Outlet<Out>): void {
  const read = async (): Promise<void> => {
    for (;;) {
      const next = await incoming.next()
      if (next.done) return
      try {
        hear(next.value)
      } catch (error) {
        // A bug of ours, not the end of the stream: said as such, or the peer would dial and repeat for ever.
        outlet.end(error as Error)
      }
    }
  }
  // How a stream was cut says nothing more than that it was.
  read()
    .catch(() => undefined)
    .finally(() => outlet.end())
}
