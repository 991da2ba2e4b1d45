/** A pair that a trial point must improve on: how much the constraints are missed, and the barrier function. */
interface Corner {
  readonly violation: number
  readonly merit: number
}

const VIOLATION_MARGIN = 1e-5
const MERIT_MARGIN = 1e-5

/** The pairs that no later iterate may be worse than in both respects (Fletcher & Leyffer, Math. Prog. 91 (2002) 239). */
export class Filter {
  #corners: Corner[] = []

  constructor(private readonly mostViolation: number) {}

  clear(): void {
    this.#corners = []
  }

  accepts(violation: number, merit: number): boolean {
    if (!(violation <= this.mostViolation) || !Number.isFinite(merit)) return false
    return this.#corners.every((corner) => violation < corner.violation || merit < corner.merit)
  }

  /** Whether a point is enough of an improvement on another in one respect. */
  static improves(violation: number, merit: number, on: Corner): boolean {
    const rounding = 10 * Number.EPSILON * Math.abs(on.merit)
    return (
      violation <= (1 - VIOLATION_MARGIN) * on.violation || merit - on.merit <= rounding - MERIT_MARGIN * on.violation
    )
  }

  add({ violation, merit }: Corner): void {
    const corner = { violation: (1 - VIOLATION_MARGIN) * violation, merit: merit - MERIT_MARGIN * violation }
    this.#corners = this.#corners.filter((old) => old.violation < corner.violation || old.merit < corner.merit)
    this.#corners.push(corner)
  }
}
