import { Expression, sortTopologically } from './expression.js'

/**
 * A straight-line program that evaluates several expressions at once. Write `input`, call `run`, read `output`: the
 * buffers belong to the tape and are overwritten by the next run, so that evaluating allocates nothing.
 */
export interface Tape {
  /** float64[inputs]. */
  readonly input: Float64Array
  /** float64[outputs], in the order given to `compileTape`. */
  readonly output: Float64Array
  /** For each output, whether it is the constant 0 whatever the input. */
  readonly alwaysZero: readonly boolean[]
  run(): void
}

const CODES = {
  sum: 0,
  difference: 1,
  product: 2,
  quotient: 3,
  power: 4,
  sin: 5,
  cos: 6,
  tan: 7,
  exp: 8,
  log: 9,
  sqrt: 10,
  tanh: 11,
  atan: 12,
  asin: 13,
  acos: 14,
  sinh: 15,
  cosh: 16,
} as const

interface Assembly {
  readonly inputs: number
  /** Triples of code, left slot, right slot; the result goes to the next free slot. */
  readonly program: number[]
  readonly constants: { slot: number; value: number }[]
  readonly slots: Map<string, number>
  nextSlot: number
}

/**
 * Compiles expressions whose variables have the indices 0 … inputs-1. Equal subexpressions are computed once.
 * @throws RangeError when an expression uses a variable that is not among the inputs.
 */
export function compileTape(outputs: readonly Expression[], inputs: number): Tape {
  const assembly: Assembly = { inputs, program: [], constants: [], slots: new Map(), nextSlot: inputs }
  const slotOf = new Map<Expression, number>()
  const sorted = sortTopologically(outputs)
  // Constants come first: the program's results then fill the slots behind them one by one.
  for (const expression of sorted) assembleConstant(assembly, expression)
  const firstResult = assembly.nextSlot
  for (const expression of sorted) slotOf.set(expression, assemble(assembly, expression, slotOf))
  const slots = new Float64Array(assembly.nextSlot)
  for (const { slot, value } of assembly.constants) slots[slot] = value
  const program = Int32Array.from(assembly.program)
  const outputSlots = Int32Array.from(outputs, (expression) => slotOf.get(expression)!)
  const output = new Float64Array(outputs.length)
  return {
    input: slots.subarray(0, inputs),
    output,
    alwaysZero: outputs.map(({ term }) => term.kind === 'constant' && term.value === 0),
    run() {
      execute(program, slots, firstResult)
      for (let i = 0; i < output.length; i++) output[i] = slots[outputSlots[i]!]!
    },
  }
}

function assembleConstant(assembly: Assembly, { term }: Expression): number {
  const value = term.kind === 'constant' ? term.value : term.kind === 'power' ? term.exponent : undefined
  if (value === undefined) return -1
  const key = Object.is(value, -0) ? 'constant:-0' : `constant:${value}`
  const known = assembly.slots.get(key)
  if (known !== undefined) return known
  const slot = assembly.nextSlot++
  assembly.slots.set(key, slot)
  assembly.constants.push({ slot, value })
  return slot
}

function assemble(assembly: Assembly, expression: Expression, slotOf: ReadonlyMap<Expression, number>): number {
  const { term } = expression
  switch (term.kind) {
    case 'constant':
      return assembleConstant(assembly, expression)
    case 'variable':
      if (term.index >= assembly.inputs) {
        throw new RangeError(`variable ${term.index} is not among the ${assembly.inputs} inputs of the tape`)
      }
      return term.index
    case 'power':
      return emit(assembly, CODES.power, slotOf.get(term.base)!, assembleConstant(assembly, expression))
    case 'call':
      return emit(assembly, CODES[term.name], slotOf.get(term.argument)!, 0)
    case 'sum':
    case 'difference':
    case 'product':
    case 'quotient':
      return emit(assembly, CODES[term.kind], slotOf.get(term.left)!, slotOf.get(term.right)!)
    default:
      return term satisfies never
  }
}

function emit(assembly: Assembly, code: number, left: number, right: number): number {
  const key = `${code}:${left}:${right}`
  const known = assembly.slots.get(key)
  if (known !== undefined) return known
  const slot = assembly.nextSlot++
  assembly.program.push(code, left, right)
  assembly.slots.set(key, slot)
  return slot
}

function execute(program: Int32Array, slots: Float64Array, firstResult: number): void {
  let slot = firstResult
  for (let at = 0; at < program.length; at += 3) {
    const left = slots[program[at + 1]!]!
    const right = slots[program[at + 2]!]!
    slots[slot++] = compute(program[at]!, left, right)
  }
}

function compute(code: number, left: number, right: number): number {
  switch (code) {
    case CODES.sum:
      return left + right
    case CODES.difference:
      return left - right
    case CODES.product:
      return left * right
    case CODES.quotient:
      return left / right
    case CODES.power:
      return left ** right
    case CODES.sin:
      return Math.sin(left)
    case CODES.cos:
      return Math.cos(left)
    case CODES.tan:
      return Math.tan(left)
    case CODES.exp:
      return Math.exp(left)
    case CODES.log:
      return Math.log(left)
    case CODES.sqrt:
      return Math.sqrt(left)
    case CODES.tanh:
      return Math.tanh(left)
    case CODES.asin:
      return Math.asin(left)
    case CODES.acos:
      return Math.acos(left)
    case CODES.sinh:
      return Math.sinh(left)
    case CODES.cosh:
      return Math.cosh(left)
    default:
      return Math.atan(left)
  }
}
