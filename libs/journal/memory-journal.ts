import type { CompactingJournal } from './journal.js'

/**
 * A journal that ends with its process. It retains facts only where somebody will replay them (tests): otherwise it would
 * grow for as long as the process lives.
 */
export function createMemoryJournal<Fact>(options: { retain?: boolean } = {}): CompactingJournal<Fact> {
  let facts: Fact[] = []
  return {
    durability: 'memory',
    get factCount() {
      return facts.length
    },
    append: async (more) => {
      if (options.retain) facts.push(...more)
    },
    replay: async function* () {
      yield* facts
    },
    compact: async (fewer) => {
      if (options.retain) facts = [...fewer]
    },
    close: async () => undefined,
  }
}
