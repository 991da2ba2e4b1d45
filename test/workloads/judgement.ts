/** What a reference allows: equality, |x − ref| ≤ abs + rel·|ref| for each number in it, or rules for its parts; else a text for people. */
type Rule = string | { readonly [part: string]: Rule | number | undefined }

/** A reference file of the collection, as far as it is read. */
export interface Reference {
  readonly name: string
  readonly reference: Readonly<Record<string, unknown>>
  readonly tolerance: Rule
}

/** What is wrong with an answer, key by key; a key that has a tolerance must be there. */
export function judge({ name, reference, tolerance }: Reference, answer: Readonly<Record<string, unknown>>): string[] {
  const isForAll = typeof tolerance === 'string' || isNumeric(tolerance)
  const ruleOf = (key: string): Rule | undefined => (isForAll ? tolerance : (tolerance[key] as Rule | undefined))
  const unknown = Object.keys(answer).filter((key) => !(key in reference))
  return [
    ...unknown.map((key) => `${name}: ${key} is no key of the reference`),
    ...Object.entries(reference).flatMap(([key, wanted]) => {
      const rule = ruleOf(key)
      if (!(key in answer)) return rule === undefined || isForAll ? [] : [`${name}: ${key} is missing`]
      if (rule === undefined || isWithin(rule, answer[key], wanted)) return []
      return [`${name}: ${key} is ${shown(answer[key])}, not ${shown(wanted)}`]
    }),
  ]
}

/** Which keys only a test of their own can judge: the reference allows what it says in words. */
export function keysForPeople({ reference, tolerance }: Reference): string[] {
  if (typeof tolerance === 'string') return isExact(tolerance) ? [] : Object.keys(reference)
  return Object.keys(reference).filter((key) => typeof tolerance[key] === 'string' && !isExact(tolerance[key]))
}

function isWithin(rule: Rule, got: unknown, wanted: unknown): boolean {
  if (typeof rule === 'string') return !isExact(rule) || isEqual(got, wanted)
  if (!isNumeric(rule)) {
    const parts = Object.entries(rule).filter(([part]) => part in (wanted as object))
    const fields = (got ?? {}) as Record<string, unknown>
    return parts.every(([part, own]) => isWithin(own as Rule, fields[part], (wanted as Record<string, unknown>)[part]))
  }
  const [a, b] = [leaves(got), leaves(wanted)]
  const largest = Math.max(0, ...b.map((value) => (typeof value === 'number' ? Math.abs(value) : 0)))
  return (
    a.length === b.length &&
    b.every((value, k) => {
      if (typeof value !== 'number') return a[k] === value
      const size = 'of' in rule ? largest : Math.abs(value)
      return (
        Math.abs((a[k] as number) - value) <=
        ((rule['abs'] as number | undefined) ?? 0) + ((rule['rel'] as number | undefined) ?? 0) * size
      )
    })
  )
}

function isNumeric(rule: Exclude<Rule, string>): boolean {
  return Object.keys(rule).every((part) => ['abs', 'rel', 'of'].includes(part))
}

function isExact(rule: string): boolean {
  return rule.startsWith('exact')
}

function isEqual(got: unknown, wanted: unknown): boolean {
  const [a, b] = [leaves(got), leaves(wanted)]
  return a.length === b.length && b.every((value, k) => a[k] === value)
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
  return JSON.stringify(value ?? null).slice(0, 120)
}
