import type { Journal } from './journal.js'

/**
 * A journal that ends with its process. It retains facts only where somebody will replay them (tests): otherwise it would
 * grow for as long as the process lives.
 */
export function createMemoryJournal<Fact>(options: { retain?: boolean } = {}): Journal<Fact> {
  const facts: Fact[] = []
  return {
    durability: 'memory',
    append: async (more) => {
      if (options.retain) facts.push(...more)
    },
    replay: async function* () {
      yield* facts
    },
    close: async () => undefined,
  }
}
