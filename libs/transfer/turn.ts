/**
 * Lets the event loop come round. Frames that say which slots of shared memory are written or read are a few bytes, so many lie ready at
 * once; who works through all of them first has the other end wait meanwhile, and then waits himself.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
