/** What an aborted signal makes calls and waits throw; gRPC reports it as CANCELLED. */
export function abortError(): Error {
  return Object.assign(new Error('The call was aborted'), { name: 'AbortError' })
}

/**
 * The same messages, but the iteration throws an AbortError as soon as the signal aborts. nice-grpc ends the request
 * stream of a cancelled call as if the client had finished it, and a server that shuts down cannot end it at all.
 */
export function interruptible<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      // One slot instead of Promise.race with a long-lived promise, which would gather a reaction per message.
      let interrupt: ((error: Error) => void) | undefined
      signal.addEventListener('abort', () => interrupt?.(abortError()), { once: true })
      return {
        next: () =>
          new Promise((resolve, reject) => {
            if (signal.aborted) {
              reject(abortError())
              return
            }
            interrupt = reject
            iterator.next().then((result) => {
              interrupt = undefined
              if (result.done === true && signal.aborted) reject(abortError())
              else resolve(result)
            }, reject)
          }),
        async return() {
          // Not awaited: while a read is pending, the source would only return after it.
          iterator.return?.().catch(() => undefined)
          return { done: true, value: undefined }
        },
      }
    },
  }
}
