/** How far a long piece of work is. `done` ended well and `failed` did not: together they are what is settled. */
export interface ProgressCounts {
  readonly done: number
  readonly running: number
  readonly failed: number
}

export interface ProgressSnapshot extends ProgressCounts {
  readonly label: string
  readonly total: number
  /** What is counted; `tasks` unless given. */
  readonly unit?: string
  /** Settled tasks per second; 0 while nothing is known. */
  readonly tasksPerS: number
  readonly elapsedMs: number
  /** True once no more updates come: the line then tells the elapsed time instead of a forecast. */
  readonly isFinal: boolean
}

/** Wraps parts of the line in colour. They are applied after measuring, so they may add invisible characters. */
export interface ProgressPaint {
  readonly bar: (text: string) => string
  readonly rest: (text: string) => string
  readonly failed: (text: string) => string
}

export const plainPaint: ProgressPaint = { bar: (text) => text, rest: (text) => text, failed: (text) => text }

const barWidthMax = 40
const barWidthMin = 6

/**
 * One line for a terminal, never wider than `columns - 1` (the last column would wrap on some terminals).
 * When it gets narrow the bar shrinks first, then the least needed words go; the count goes last.
 */
export function formatProgressLine(snapshot: ProgressSnapshot, columns: number, paint = plainPaint): string {
  const room = Math.max(1, Math.floor(columns) - 1)
  const count = formatCount(snapshot)
  const running = snapshot.isFinal ? [] : [`running ${snapshot.running}`]
  const failed = `failed ${snapshot.failed}`
  const rate = formatRate(snapshot)
  const forecast = formatForecast(snapshot)
  const choices: { label: string; words: string[] }[] = [
    { label: snapshot.label, words: [count, ...running, failed, rate, forecast] },
    { label: snapshot.label, words: [count, failed, rate, forecast] },
    { label: snapshot.label, words: [count, failed, forecast] },
    { label: '', words: [count, failed, forecast] },
    { label: '', words: [count, failed] },
  ]
  for (const { label, words } of choices) {
    const lead = label === '' ? '' : `${label} `
    const text = ` ${words.join('  ')}`
    const barWidth = Math.min(barWidthMax, room - lengthOf(lead) - lengthOf(text))
    if (barWidth < barWidthMin) continue
    const painted = snapshot.failed > 0 ? text.replace(failed, paint.failed(failed)) : text
    return lead + formatBar(settledShare(snapshot), barWidth, paint) + painted
  }
  return count.slice(0, room)
}

/** The same facts for a log file or a pipe: one plain line, no bar. */
export function formatPlainLine(snapshot: ProgressSnapshot): string {
  const percent = Math.floor(settledShare(snapshot) * 100)
  const running = snapshot.isFinal ? [] : [`running ${snapshot.running}`]
  return [
    `${snapshot.label} ${formatCount(snapshot)} (${percent} %)`,
    ...running,
    `failed ${snapshot.failed}`,
    formatRate(snapshot),
    formatForecast(snapshot),
  ].join('  ')
}

/** Settled work in 0..1; an empty job counts as complete. */
export function settledShare({ done, failed, total }: ProgressCounts & { readonly total: number }): number {
  return total > 0 ? Math.min(1, Math.max(0, (done + failed) / total)) : 1
}

/** As exact as a person reads at a glance: `850 ms`, `7.7 s`, `42 s`, `1 min 05 s`, `2 h 03 min`. */
export function formatSpan(spanMs: number): string {
  if (!Number.isFinite(spanMs)) return '–'
  if (spanMs > 0 && spanMs < 950) return `${Math.max(1, Math.round(spanMs))} ms`
  if (spanMs < 9950) return `${Math.round(spanMs / 100) / 10} s`
  const seconds = Math.round(spanMs / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

function formatCount({ done, failed, total }: ProgressSnapshot): string {
  return `${String(done + failed).padStart(String(total).length)}/${total}`
}

function formatForecast({ done, failed, total, tasksPerS, elapsedMs, isFinal }: ProgressSnapshot): string {
  if (isFinal) return `in ${formatSpan(elapsedMs)}`
  const left = Math.max(0, total - done - failed)
  // Whole seconds, at least one: a forecast is no measurement.
  return `ETA ${left === 0 ? '0 s' : formatSpan(Math.max(1, Math.round(left / tasksPerS)) * 1000)}`
}

function formatRate({ tasksPerS, unit = 'tasks' }: ProgressSnapshot): string {
  if (!Number.isFinite(tasksPerS) || tasksPerS <= 0) return `– ${unit}/s`
  const digits =
    tasksPerS >= 100 ? tasksPerS.toFixed(0) : tasksPerS >= 0.95 ? tasksPerS.toFixed(1) : tasksPerS.toPrecision(2)
  return `${digits} ${unit}/s`
}

function formatBar(share: number, width: number, paint: ProgressPaint): string {
  const halves = Math.floor(share * width * 2)
  const full = '━'.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? '╸' : '')
  return paint.bar(full) + paint.rest('─'.repeat(width - full.length))
}

function lengthOf(text: string): number {
  return Array.from(text).length
}
