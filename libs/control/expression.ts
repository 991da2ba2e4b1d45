/** What an expression is made of. `variable.index` is the position among the inputs of the tape it is compiled into. */
export type Term =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'variable'; readonly index: number }
  | {
      readonly kind: 'sum' | 'difference' | 'product' | 'quotient'
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'power'; readonly base: Expression; readonly exponent: number }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly argument: Expression }

export type FunctionName =
  ('sin' | 'cos' | 'tan' | 'asin' | 'acos' | 'atan') | ('sinh' | 'cosh' | 'tanh') | ('exp' | 'log' | 'sqrt')

/** Where an expression is expected, a plain number is one too. */
export type ExpressionLike = Expression | number

/**
 * A formula in the states, controls and time of a problem. A problem's functions are called once with expressions, not
 * with numbers; what they build is differentiated exactly and evaluated many times. So they must not branch on values.
 */
export class Expression {
  private constructor(readonly term: Term) {}

  static constant(value: number): Expression {
    return new Expression({ kind: 'constant', value })
  }

  static variable(index: number): Expression {
    return new Expression({ kind: 'variable', index })
  }

  static from(value: ExpressionLike): Expression {
    return value instanceof Expression ? value : Expression.constant(value)
  }

  plus(other: ExpressionLike): Expression {
    const right = Expression.from(other)
    if (isConstant(this, 0)) return right
    if (isConstant(right, 0)) return this
    return binary('sum', this, right)
  }

  minus(other: ExpressionLike): Expression {
    const right = Expression.from(other)
    return isConstant(right, 0) ? this : binary('difference', this, right)
  }

  times(other: ExpressionLike): Expression {
    const right = Expression.from(other)
    if (isConstant(this, 0) || isConstant(right, 1)) return this
    if (isConstant(right, 0) || isConstant(this, 1)) return right
    return binary('product', this, right)
  }

  dividedBy(other: ExpressionLike): Expression {
    const right = Expression.from(other)
    if (isConstant(this, 0) || isConstant(right, 1)) return this
    return binary('quotient', this, right)
  }

  negated(): Expression {
    return Expression.constant(-1).times(this)
  }

  squared(): Expression {
    return this.times(this)
  }

  /** This to a constant real power. */
  power(exponent: number): Expression {
    if (exponent === 0) return Expression.constant(1)
    if (exponent === 1) return this
    if (exponent === 2) return this.squared()
    if (this.term.kind === 'constant') return Expression.constant(this.term.value ** exponent)
    return new Expression({ kind: 'power', base: this, exponent })
  }

  sin(): Expression {
    return this.#call('sin')
  }

  cos(): Expression {
    return this.#call('cos')
  }

  tan(): Expression {
    return this.#call('tan')
  }

  exp(): Expression {
    return this.#call('exp')
  }

  log(): Expression {
    return this.#call('log')
  }

  sqrt(): Expression {
    return this.#call('sqrt')
  }

  tanh(): Expression {
    return this.#call('tanh')
  }

  atan(): Expression {
    return this.#call('atan')
  }

  asin(): Expression {
    return this.#call('asin')
  }

  acos(): Expression {
    return this.#call('acos')
  }

  sinh(): Expression {
    return this.#call('sinh')
  }

  cosh(): Expression {
    return this.#call('cosh')
  }

  /** @internal A binary term without simplification. */
  static join(kind: 'sum' | 'difference' | 'product' | 'quotient', left: Expression, right: Expression): Expression {
    return new Expression({ kind, left, right })
  }

  #call(name: FunctionName): Expression {
    if (this.term.kind === 'constant') return Expression.constant(Math[name](this.term.value))
    return new Expression({ kind: 'call', name, argument: this })
  }
}

/** Whether the expression is a constant, of the value given if one is. */
export function isConstant(expression: Expression, value?: number): boolean {
  const { term } = expression
  return term.kind === 'constant' && (value === undefined || term.value === value)
}

/** The expressions that a term is made of. */
export function operands({ term }: Expression): readonly Expression[] {
  switch (term.kind) {
    case 'constant':
    case 'variable':
      return []
    case 'power':
      return [term.base]
    case 'call':
      return [term.argument]
    case 'sum':
    case 'difference':
    case 'product':
    case 'quotient':
      return [term.left, term.right]
    default:
      return term satisfies never
  }
}

/** Everything that the outputs are made of, each expression once and after its operands. */
export function sortTopologically(outputs: readonly Expression[]): Expression[] {
  const sorted: Expression[] = []
  const seen = new Set<Expression>()
  // An explicit stack: a long sum built in a loop is a deep graph.
  const stack = outputs.map((expression) => ({ expression, done: false })).reverse()
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (top.done) sorted.push(top.expression)
    else if (!seen.has(top.expression)) {
      seen.add(top.expression)
      stack.push({ expression: top.expression, done: true })
      for (const operand of operands(top.expression)) {
        if (!seen.has(operand)) stack.push({ expression: operand, done: false })
      }
    }
  }
  return sorted
}

function binary(kind: 'sum' | 'difference' | 'product' | 'quotient', left: Expression, right: Expression): Expression {
  const a = left.term
  const b = right.term
  if (a.kind !== 'constant' || b.kind !== 'constant') return Expression.join(kind, left, right)
  switch (kind) {
    case 'sum':
      return Expression.constant(a.value + b.value)
    case 'difference':
      return Expression.constant(a.value - b.value)
    case 'product':
      return Expression.constant(a.value * b.value)
    case 'quotient':
      return Expression.constant(a.value / b.value)
    default:
      return kind satisfies never
  }
}
