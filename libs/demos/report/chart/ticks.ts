export interface Tick {
  readonly value: number
  readonly label: string
}

/** Round values (1, 2 or 5 times a power of ten apart) inside [min, max], about `wanted` of them. */
export function niceTicks(min: number, max: number, wanted: number): Tick[] {
  if (!(max > min) || !Number.isFinite(max - min)) return [{ value: min, label: formatTick(min, 0) }]
  const step = niceStep((max - min) / Math.max(1, wanted))
  const ticks: Tick[] = []
  // Counting in whole steps keeps 0.30000000000000004 out of the labels; the slack keeps an end point that rounding moved.
  const first = Math.ceil(min / step - 1e-9)
  const count = Math.floor(max / step + 1e-9) - first + 1
  for (let i = 0; i < count; i++) {
    const value = Number(((first + i) * step).toPrecision(12))
    ticks.push({ value, label: formatTick(value, step) })
  }
  return ticks
}

/** Powers of ten inside [min, max], thinned out evenly when there are more than `wanted`. Both ends must be positive. */
export function logTicks(min: number, max: number, wanted: number): Tick[] {
  const first = Math.ceil(Math.log10(min) - 1e-9)
  const last = Math.floor(Math.log10(max) + 1e-9)
  const stride = Math.max(1, Math.ceil((last - first + 1) / Math.max(1, wanted)))
  const ticks: Tick[] = []
  for (let exponent = Math.ceil(first / stride) * stride; exponent <= last; exponent += stride)
    ticks.push({ value: 10 ** exponent, label: formatPowerOfTen(exponent) })
  return ticks
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `roughly`. */
function niceStep(roughly: number): number {
  const power = 10 ** Math.floor(Math.log10(roughly))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= roughly * (1 - 1e-9)) ?? 10
  return factor * power
}

/** As many decimals as the step between ticks needs; a true minus sign. */
function formatTick(value: number, step: number): string {
  const size = Math.max(Math.abs(value), step)
  const decimals = step > 0 ? Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) : 3
  const text = size >= 1e6 || decimals > 6 ? String(Number(value.toPrecision(6))) : value.toFixed(decimals)
  return text.replace(/^-(?=0(\.0*)?$)/, '').replace('-', '−')
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'

export function formatPowerOfTen(exponent: number): string {
  if (exponent === 0) return '1'
  const digits = Array.from(String(Math.abs(exponent)), (digit) => superscripts[Number(digit)]!).join('')
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}
