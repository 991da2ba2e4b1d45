import type { ObjectId } from '#libs/domain'
import type { Journal } from '#libs/journal'

import type { Fact, FactOf } from '../core/fact.js'
import { storedByteLength } from './object-codec.js'

type Stored = FactOf<'objectStored'>

/** What the journal holds of objects that were stored together: a subject of its own, named by its number. */
export type GroupFact =
  /** Those of the group that are known, whatever was said of it before. */
  | { readonly kind: 'groupStored'; readonly group: number; readonly objects: readonly Stored[] }
  | { readonly kind: 'groupMembersForgotten'; readonly group: number; readonly objectIds: readonly ObjectId[] }
  /** None of them is known any more. */
  | { readonly kind: 'groupEnded'; readonly group: number }

/** What is written to a journal in which objects are grouped. */
export type JournaledFact = Fact | GroupFact

interface Group {
  readonly number: number
  /** Those of the last record of all. */
  written: readonly Stored[]
  /** How many of them are known. */
  known: number
}

/** A group, and so a record, has at most so many objects. */
const mostMembers = 1_024
const aboutObjects: ReadonlySet<Fact['kind']> = new Set<Fact['kind']>([
  'objectStored',
  'objectArchived',
  'archiveLost',
  'objectReleased',
  'objectForgotten',
])

/**
 * A journal that writes objects which were stored in one append as one record, and forgets them as one: ten thousand small ones are
 * scattered at a time, and a record of its own for each costs ten times what the object does. Who replays it gets each object's facts.
 * What is left of a group is written anew when half of it is forgotten, so that the journal grows with what is known.
 */
export function groupObjects(journal: Journal<JournaledFact>): Journal<Fact> {
  const groups = new ObjectGroups()
  return {
    durability: journal.durability,
    append: (facts) => journal.append(groups.grouped(facts)),
    replay: async function* () {
      for await (const fact of journal.replay()) yield* groups.replayed(fact)
    },
    close: () => journal.close(),
  }
}

/** Which objects are written as a group. Others are written by themselves. */
class ObjectGroups {
  readonly #groupOf = new Map<ObjectId, Group>()
  /** Members of which something was written by itself, which must be forgotten as well. */
  readonly #noted = new Set<ObjectId>()
  #nextNumber = 1

  /** The facts as they are written. */
  grouped(facts: readonly Fact[]): readonly JournaledFact[] {
    if (!facts.some(({ kind }) => aboutObjects.has(kind))) return facts
    const written: JournaledFact[] = []
    const forgotten = forgottenBy(facts)
    const changed = new Map<Group, ObjectId[]>()
    let open: Stored[] = []
    const close = (): void => {
      this.#write(open, written)
      open = []
    }
    for (const fact of facts) {
      switch (fact.kind) {
        case 'objectStored':
          if (storedByteLength(fact) === undefined) written.push(fact)
          else open.push(fact)
          if (open.length >= mostMembers) close()
          break
        case 'objectArchived':
        case 'archiveLost':
        case 'objectReleased':
          close()
          this.#note(fact, forgotten, written)
          break
        case 'objectForgotten':
          close()
          this.#forget(fact, changed, written)
          break
        default:
          written.push(fact)
      }
    }
    close()
    for (const [group, objectIds] of changed) written.push(this.#lessen(group, objectIds))
    return written
  }

  /** What a written fact means. */
  replayed(fact: JournaledFact): readonly Fact[] {
    switch (fact.kind) {
      case 'groupStored':
        this.#nextNumber = Math.max(this.#nextNumber, fact.group + 1)
        this.#add(fact.group, fact.objects)
        return fact.objects
      case 'groupMembersForgotten': {
        for (const objectId of fact.objectIds) {
          this.#remove(objectId)
        }
        return fact.objectIds.map((objectId) => ({ kind: 'objectForgotten', objectId }))
      }
      case 'groupEnded':
        return []
      case 'objectArchived':
      case 'archiveLost':
      case 'objectReleased':
        if (this.#groupOf.has(fact.objectId)) this.#noted.add(fact.objectId)
        return [fact]
      default:
        return [fact]
    }
  }

  #write(objects: readonly Stored[], written: JournaledFact[]): void {
    const [only, second] = objects
    if (only === undefined) return
    if (second === undefined) {
      written.push(only)
      return
    }
    const group = this.#nextNumber++
    this.#add(group, objects)
    written.push({ kind: 'groupStored', group, objects })
  }

  #add(number: number, objects: readonly Stored[]): void {
    const group: Group = { number, written: objects, known: objects.length }
    for (const { objectId } of objects) this.#groupOf.set(objectId, group)
  }

  /** The group that it was a member of. */
  #remove(objectId: ObjectId): Group | undefined {
    const group = this.#groupOf.get(objectId)
    if (group === undefined) return undefined
    this.#groupOf.delete(objectId)
    group.known--
    return group
  }

  /** What is forgotten in the same append needs nothing else. */
  #note(
    fact: FactOf<'objectArchived' | 'archiveLost' | 'objectReleased'>,
    forgotten: ReadonlySet<ObjectId>,
    written: JournaledFact[],
  ): void {
    const { objectId } = fact
    if (this.#groupOf.has(objectId)) {
      if (forgotten.has(objectId)) return
      this.#noted.add(objectId)
    }
    written.push(fact)
  }

  #forget(fact: FactOf<'objectForgotten'>, changed: Map<Group, ObjectId[]>, written: JournaledFact[]): void {
    const { objectId } = fact
    const group = this.#remove(objectId)
    if (group === undefined || this.#noted.delete(objectId)) written.push(fact)
    if (group === undefined) return
    const known = changed.get(group)
    if (known) known.push(objectId)
    else changed.set(group, [objectId])
  }

  #lessen(group: Group, objectIds: readonly ObjectId[]): GroupFact {
    const { number, written, known } = group
    if (known === 0) return { kind: 'groupEnded', group: number }
    if (2 * known > written.length) return { kind: 'groupMembersForgotten', group: number, objectIds }
    group.written = written.filter(({ objectId }) => this.#groupOf.get(objectId) === group)
    return { kind: 'groupStored', group: number, objects: group.written }
  }
}

/** The objects that are not known any more behind these facts. */
function forgottenBy(facts: readonly Fact[]): ReadonlySet<ObjectId> {
  const forgotten = new Set<ObjectId>()
  for (const fact of facts) {
    if (fact.kind === 'objectForgotten') forgotten.add(fact.objectId)
    else if (fact.kind === 'objectStored') forgotten.delete(fact.objectId)
  }
  return forgotten
}
