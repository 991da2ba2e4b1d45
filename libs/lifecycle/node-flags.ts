/**
 * After some idle seconds V8 would give memory back, and with it the shapes of objects for which it has compiled and the code
 * of what did not run lately; and at rest it learns that little is allocated and collects all the more often when work comes. A
 * service that is there for the next job keeps what it has: the first 10,000 no-op tasks after a pause took twice as long.
 */
const everyService = ['--no-memory-reducer', '--no-flush-bytecode', '--heap-growing-percent=100']

/** Tasks live longer than a small young generation: they would be copied to the old one while they are short-lived still. */
const scheduler = ['--min-semi-space-size=16']

/**
 * Small objects come in bursts and leave in bursts, and their bytes count: at twice the size a heap of 13 MB was marked with each
 * burst of 10,000. Not marked at once: then V8 lets go of the shapes of objects of which none is there just then, and of all the code that
 * it has compiled for them, and compiled as much again as the tasks of the worker itself took.
 * What is collected is collected by the thread whose it is: V8's helpers would take the processor from tasks in other slots (sweep-200 on two
 * processors: 3 % of the time of a task).
 */
const worker = ['--heap-growing-percent=300', '--single-threaded-gc']

/** The flags of V8 that a service's process is started with. */
export function nodeFlagsOf(service: string): readonly string[] {
  if (service === 'scheduler') return [...everyService, ...scheduler]
  return service === 'worker' ? [...everyService, ...worker] : everyService
}
