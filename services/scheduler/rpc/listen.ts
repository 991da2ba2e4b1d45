import type { Outbox } from '#libs/transfer'

/** Hears what the other end of a stream says, until either end has said all. */
export function listen<In, Out>(incoming: AsyncIterator<In>, hear: (message: In) => void, outbox: Outbox<Out>): void {
  const read = async (): Promise<void> => {
    for (;;) {
      const next = await incoming.next()
      if (next.done) return
      try {
        hear(next.value)
      } catch (error) {
        // A bug of ours, not the end of the stream: said as such, or the peer would dial and repeat for ever.
        outbox.end(error as Error)
      }
    }
  }
  // How a stream was cut says nothing more than that it was.
  read()
    .catch(() => undefined)
    .finally(() => outbox.end())
}
