/** Saves that come faster than they can be done: one is under way, the newest one waits, those between are skipped. */
export class LatestSave<Body> {
  readonly #save: (body: Body) => Promise<void>
  readonly #release: (body: Body) => void
  #underWay: Promise<void> | undefined
  #next: { body: Body; readonly done: Promise<void> } | undefined

  /** `release` gets every body back once: when its save is over, or a newer one takes its place. */
  constructor(save: (body: Body) => Promise<void>, release: (body: Body) => void = () => undefined) {
    this.#save = save
    this.#release = release
  }

  /** Resolves when this body, or a newer one, is saved; rejects when saving that failed. */
  offer(body: Body): Promise<void> {
    if (this.#next) {
      this.#release(this.#next.body)
      this.#next.body = body
      return this.#next.done
    }
    if (this.#underWay === undefined) return this.#begin(body)
    const next = { body, done: this.#underWay.catch(() => undefined).then(() => this.#takeNext()) }
    this.#next = next
    return next.done
  }

  #takeNext(): Promise<void> {
    const body = (this.#next as { body: Body }).body
    this.#next = undefined
    return this.#begin(body)
  }

  #begin(body: Body): Promise<void> {
    const saving = this.#save(body).finally(() => {
      this.#release(body)
      if (this.#underWay === saving) this.#underWay = undefined
    })
    this.#underWay = saving
    return saving
  }
}
