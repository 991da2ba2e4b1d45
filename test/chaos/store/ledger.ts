/** What was asked of the store, and what it said of that. */
export interface Save {
  readonly name: string
  /** From 1, per name and life of the name. */
  readonly nth: number
  readonly byteLength: number
  readonly requestId: string
}

/** A version as the store has it. */
export interface FoundVersion {
  readonly version: number
  /** Which save it says that it is. */
  readonly requestId: string
}

/** How many versions of a name a store keeps. */
const keptVersions = 3

/** Remembers everything that was acknowledged, and what may have happened. */
export class Ledger {
  readonly #saves = new Map<string, Save>()
  /** By name, the versions that were acknowledged. */
  readonly #acknowledged = new Map<string, Map<number, string>>()
  /** Names whose deletion was asked for and not acknowledged. */
  readonly #doubtful = new Set<string>()

  get acknowledgedCount(): number {
    return [...this.#acknowledged.values()].reduce((sum, versions) => sum + versions.size, 0)
  }

  saveOf(requestId: string): Save | undefined {
    return this.#saves.get(requestId)
  }

  begin(save: Save): void {
    this.#saves.set(save.requestId, save)
  }

  /** A version is told twice only if it is that of the same request. */
  acknowledge(save: Save, version: number): string[] {
    const versions = this.#acknowledged.get(save.name) ?? new Map<number, string>()
    this.#acknowledged.set(save.name, versions)
    const before = versions.get(version)
    versions.set(version, save.requestId)
    if (before === undefined || before === save.requestId) return []
    return [`version ${version} of ${save.name} was given to two saves`]
  }

  beginDelete(name: string): void {
    this.#doubtful.add(name)
  }

  acknowledgeDelete(name: string): void {
    this.#doubtful.delete(name)
    this.#acknowledged.delete(name)
  }

  /** What is wrong with what the store has of a name. Settles whether a delete in doubt came to pass. */
  check(name: string, found: readonly FoundVersion[]): string[] {
    const complaints: string[] = []
    if (this.#doubtful.delete(name)) {
      const before = this.#acknowledged.get(name)
      const isThere = found.some(({ version, requestId }) => before?.get(version) === requestId)
      if (!isThere) this.#acknowledged.delete(name)
    }
    const acknowledged = this.#acknowledged.get(name) ?? new Map<number, string>()
    const newest = Math.max(0, ...found.map(({ version }) => version))
    for (const [version, requestId] of acknowledged) {
      const has = found.find((each) => each.version === version)
      if (has && has.requestId !== requestId) complaints.push(`${name}@${version} is another save's`)
      const mustBe = version > newest - keptVersions
      if (!has && mustBe) complaints.push(`${name}@${version} was acknowledged and is gone`)
    }
    for (const { version, requestId } of found) {
      if (!this.#saves.has(requestId)) complaints.push(`${name}@${version} is nobody's save`)
    }
    return complaints
  }
}
