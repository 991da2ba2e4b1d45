import { parseBytes } from './quantity.js'

/** How much of each resource; what is given as text is a number, or for memory an amount such as `2GB`. */
export type ResourceAmounts = Readonly<Record<string, number | string>>

const namePattern = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/
const maxResources = 32
const mostSlots = 4_096
/** Of these there are only whole ones. */
const wholeNames: ReadonlySet<string> = new Set(['cpu', 'gpu'])

/**
 * What a task takes of a worker: `{ cpu: 2, memory: '2GB', gpu: 1, licence: 1 }`.
 *
 * @throws RangeError naming `what` for what makes no sense.
 */
export function parseNeeds(amounts: ResourceAmounts, what: string): Record<string, number> {
  const needs = parseResources(amounts, what)
  const { cpu = 1 } = needs
  if (cpu >= 1 && cpu <= mostSlots) return needs
  throw new RangeError(`${what}: cpu is ${cpu}: a task takes at least one slot, at most ${mostSlots}`)
}

/**
 * What a worker offers: `gpu=2,licence=1`, or the same as an object. Slots are said elsewhere.
 *
 * @throws RangeError naming `what` for what makes no sense.
 */
export function parseOffer(offer: string | ResourceAmounts, what: string): Record<string, number> {
  const offered = parseResources(typeof offer === 'string' ? splitOffer(offer, what) : offer, what)
  if ('cpu' in offered) throw new RangeError(`${what}: cpu are the slots of a worker: set their number instead`)
  return offered
}

function parseResources(amounts: ResourceAmounts, what: string): Record<string, number> {
  const entries = Object.entries(amounts)
  if (entries.length > maxResources) {
    throw new RangeError(`${what}: ${entries.length} resources are too many: at most ${maxResources} are taken`)
  }
  return Object.fromEntries(entries.map(([name, amount]) => [name, parseAmount(name, amount, what)]))
}

function parseAmount(name: string, amount: number | string, what: string): number {
  if (!namePattern.test(name)) {
    const shown = JSON.stringify(name.slice(0, 64))
    throw new RangeError(`${what}: ${shown} is no resource: a name has at most 64 letters, digits, dots, dashes`)
  }
  if (name === 'memory') return parseBytes(amount, `${what}: memory`)
  const number = typeof amount === 'string' && amount.trim() !== '' ? Number(amount) : amount
  if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) {
    throw new RangeError(`${what}: ${name} is ${amount}: give a number that is not negative`)
  }
  if (!wholeNames.has(name) || Number.isInteger(number)) return number
  throw new RangeError(`${what}: ${name} is ${amount}: there are only whole ones`)
}

function splitOffer(text: string, what: string): ResourceAmounts {
  const parts = text.split(',').filter((part) => part.trim() !== '')
  return Object.fromEntries(
    parts.map((part) => {
      const [name = '', amount, ...rest] = part.split('=').map((word) => word.trim())
      if (amount === undefined || amount === '' || rest.length > 0) {
        throw new RangeError(`${what}: '${part}' is no resource: write for example gpu=2,licence=1`)
      }
      return [name, amount]
    }),
  )
}
