/**
 * After some idle seconds V8 would give memory back, and with it the shapes of objects for which it has compiled and the code
 * of what did not run lately; and at rest it learns that little is allocated and collects all the more often when work comes. A
 * service that is there for the next job keeps what it has: the first 10,000 no-op tasks after a pause took twice as long.
 */
const everyService = ['--no-memory-reducer', '--no-flush-bytecode', '--heap-growing-percent=100']

/**
 * Tasks live longer than a small young generation: they would be copied to the old one while they are short-lived still. And the results
 * that pass through count: at twice what lives V8 would mark the heap for every 10 MB of them, which takes 20 ms of both sides.
 */
const scheduler = ['--min-semi-space-size=16', '--heap-growing-percent=200']

/**
 * Marked in small steps, a heap of 15 MB slows everything beside it for tens of milliseconds, with each burst of small objects:
 * their bytes count. Marked at once, by all threads, it takes five; and what is marked loses compiled code, so that it is done seldom: at
 * four times what lives, as V8 itself does where much is allocated.
 */
const worker = ['--no-incremental-marking', '--heap-growing-percent=300']

/** The flags of V8 that a service's process is started with. */
export function nodeFlagsOf(service: string): readonly string[] {
  if (service === 'scheduler') return [...everyService, ...scheduler]
  return service === 'worker' ? [...everyService, ...worker] : everyService
}
