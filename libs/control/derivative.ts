import { Expression, isConstant, sortTopologically, type FunctionName } from './expression.js'

/**
 * The exact gradient of an expression by reverse accumulation over its graph (Griewank & Walther, Evaluating Derivatives,
 * 2nd ed. 2008, ch. 3), itself as expressions, so that it can be differentiated again.
 * @param variables the indices to differentiate by.
 * @returns one expression per index; the constant 0 where the output doesn't depend on it.
 */
export function differentiate(output: Expression, variables: readonly number[]): Expression[] {
  const sorted = sortTopologically([output])
  const adjoints = new Map<Expression, Expression>([[output, Expression.constant(1)]])
  const byVariable = new Map<number, Expression>()
  for (let i = sorted.length - 1; i >= 0; i--) {
    const expression = sorted[i]!
    const adjoint = adjoints.get(expression)
    if (adjoint === undefined) continue
    const { term } = expression
    if (term.kind === 'variable') accumulate(byVariable, term.index, adjoint)
    else propagate(expression, adjoint, (operand, factor) => accumulate(adjoints, operand, factor))
  }
  return variables.map((index) => byVariable.get(index) ?? Expression.constant(0))
}

function accumulate<Key>(sums: Map<Key, Expression>, key: Key, term: Expression): void {
  if (isConstant(term, 0)) return
  const sum = sums.get(key)
  sums.set(key, sum === undefined ? term : sum.plus(term))
}

/** Hands each operand its share of the adjoint. */
function propagate(
  expression: Expression,
  adjoint: Expression,
  give: (operand: Expression, share: Expression) => void,
): void {
  const { term } = expression
  switch (term.kind) {
    case 'constant':
    case 'variable':
      return
    case 'sum':
      give(term.left, adjoint)
      give(term.right, adjoint)
      return
    case 'difference':
      give(term.left, adjoint)
      give(term.right, adjoint.negated())
      return
    case 'product':
      give(term.left, adjoint.times(term.right))
      give(term.right, adjoint.times(term.left))
      return
    case 'quotient':
      give(term.left, adjoint.dividedBy(term.right))
      give(term.right, adjoint.times(expression).dividedBy(term.right).negated())
      return
    case 'power':
      give(term.base, adjoint.times(term.base.power(term.exponent - 1).times(term.exponent)))
      return
    case 'call':
      give(term.argument, adjoint.times(slope(term.name, term.argument, expression)))
      return
    default:
      term satisfies never
  }
}

/** The derivative of a function at its argument; `value` is the function's own expression, where that is shorter. */
function slope(name: FunctionName, argument: Expression, value: Expression): Expression {
  switch (name) {
    case 'sin':
      return argument.cos()
    case 'cos':
      return argument.sin().negated()
    case 'tan':
      return value.squared().plus(1)
    case 'asin':
      return Expression.constant(1).dividedBy(Expression.constant(1).minus(argument.squared()).sqrt())
    case 'acos':
      return Expression.constant(-1).dividedBy(Expression.constant(1).minus(argument.squared()).sqrt())
    case 'sinh':
      return argument.cosh()
    case 'cosh':
      return argument.sinh()
    case 'exp':
      return value
    case 'log':
      return Expression.constant(1).dividedBy(argument)
    case 'sqrt':
      return Expression.constant(0.5).dividedBy(value)
    case 'tanh':
      return Expression.constant(1).minus(value.squared())
    case 'atan':
      return Expression.constant(1).dividedBy(argument.squared().plus(1))
    default:
      return name satisfies never
  }
}
