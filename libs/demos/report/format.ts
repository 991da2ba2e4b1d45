/** `significant` digits without padding zeros; `NaN` and `∞` by name, exponents as 3.2e-8. */
export function formatNumber(value: number, significant = 6): string {
  if (!Number.isFinite(value)) return formatNotFinite(value)
  return String(Number(value.toPrecision(significant)))
}

/** Exactly `significant` digits, so that columns of like values line up. */
export function formatDigits(value: number, significant: number): string {
  return Number.isFinite(value) ? value.toPrecision(significant) : formatNotFinite(value)
}

/** Two digits: more of an error is noise. */
export function formatError(value: number): string {
  if (!Number.isFinite(value)) return formatNotFinite(value)
  return value === 0 ? '0' : value.toExponential(1).replace('e+', 'e')
}

/** A ratio: `0.38`, `12`, `4.0e5`. */
export function formatFactor(value: number): string {
  return Math.abs(value) < 1000 ? formatNumber(value, 2) : formatError(value)
}

export function formatCount(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–'
}

export function formatPercent(share: number): string {
  if (!Number.isFinite(share)) return '–'
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`
}

/** `45 µs`, `812 ms`, `3.21 s`, `1 min 02 s`, `2 h 03 min`. */
export function formatDuration(spanMs: number): string {
  if (!Number.isFinite(spanMs)) return '–'
  if (spanMs === 0) return '0 s'
  if (Math.abs(spanMs) < 1) return `${formatNumber(spanMs * 1000, 3)} µs`
  if (Math.abs(spanMs) < 999.5) return `${formatNumber(spanMs, 3)} ms`
  if (spanMs < 59_950) return `${formatDigits(spanMs / 1000, 3)} s`
  const seconds = Math.round(spanMs / 1000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${formatCount(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, '0')} min`
}

export function formatGibibytes(bytes: number): string {
  return Number.isFinite(bytes) ? `${formatNumber(bytes / 2 ** 30, 3)} GiB` : '–'
}

/** `2026-11-22 14:03:11 UTC`; text that is no date is shown as it came. */
export function formatDate(iso: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? iso : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** `3, 7–12, 40`: every index is said, in little room. */
export function formatRanges(indices: readonly number[]): string {
  const sorted = [...new Set(indices)].sort((a, b) => a - b)
  const ranges: [number, number][] = []
  for (const index of sorted) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === index - 1) last[1] = index
    else ranges.push([index, index])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(', ')
}

/** `1 task`, `2 tasks`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

function formatNotFinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞'
}
