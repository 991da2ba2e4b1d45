/** What a reference allows: equality, or |x − ref| ≤ abs + rel·|ref| for each number in it. */
type Rule = string | { readonly abs?: number; readonly rel?: number }

/** A reference file of the collection, as far as it is read. */
export interface Reference {
  readonly name: string
  readonly reference: Readonly<Record<string, unknown>>
  readonly tolerance: string | Readonly<Record<string, Rule>>
}

/** What is wrong with an answer, key by key; a key that has a tolerance must be there. */
export function judge({ name, reference, tolerance }: Reference, answer: Readonly<Record<string, unknown>>): string[] {
  const ruleOf = (key: string): Rule | undefined => (typeof tolerance === 'string' ? tolerance : tolerance[key])
  const unknown = Object.keys(answer).filter((key) => !(key in reference))
  return [
    ...unknown.map((key) => `${name}: ${key} is no key of the reference`),
    ...Object.entries(reference).flatMap(([key, wanted]) => {
      const rule = ruleOf(key)
      if (!(key in answer)) return rule === undefined || typeof tolerance === 'string' ? [] : [`${name}: ${key} is missing`]
      const got = answer[key]
      if (rule === undefined) return []
      return isWithin(rule, got, wanted) ? [] : [`${name}: ${key} is ${shown(got)}, not ${shown(wanted)}`]
    }),
  ]
}

function isWithin(rule: Rule, got: unknown, wanted: unknown): boolean {
  const [a, b] = [leaves(got), leaves(wanted)]
  if (a.length !== b.length) return false
  return b.every((value, k) => {
    if (typeof rule === 'string' || typeof value !== 'number') return a[k] === value
    return Math.abs((a[k] as number) - value) <= (rule.abs ?? 0) + (rule.rel ?? 0) * Math.abs(value)
  })
}

/** Numbers and texts in it, those of an object by its keys in order. */
function leaves(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(leaves)
  if (typeof value !== 'object' || value === null) return [value]
  const fields = value as Record<string, unknown>
  return Object.keys(fields)
    .sort()
    .flatMap((key) => leaves(fields[key]))
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 120)
}
