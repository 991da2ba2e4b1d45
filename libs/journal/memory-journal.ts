import type { FactSubject, Journal } from './journal.js'

/**
 * A journal that ends with its process. It retains facts only where somebody will replay them (tests): otherwise it would
 * grow for as long as the process lives.
 */
export function createMemoryJournal<Fact>(
  options: { readonly retain?: boolean; readonly subjectOf?: (fact: Fact) => FactSubject } = {},
): Journal<Fact> {
  const { retain = false, subjectOf } = options
  const facts: Fact[] = []
  return {
    durability: 'memory',
    append: async (more) => {
      if (retain) for (const fact of more) facts.push(fact)
    },
    replay: async function* () {
      yield* subjectOf ? factsBySubject(facts, subjectOf) : [...facts]
    },
    close: async () => undefined,
  }
}

function factsBySubject<Fact>(facts: readonly Fact[], subjectOf: (fact: Fact) => FactSubject): Fact[] {
  const bySubject = new Map<string, Fact[]>()
  for (const fact of facts) {
    const { name, does } = subjectOf(fact)
    if (does === 'ends') bySubject.delete(name)
    else if (does === 'adds' && bySubject.has(name)) bySubject.get(name)?.push(fact)
    else bySubject.set(name, [fact])
  }
  return [...bySubject.values()].flat()
}
