const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
}

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  '': 1e3,
  s: 1e3,
  m: 60e3,
  min: 60e3,
  h: 3600e3,
  d: 86400e3,
}

/**
 * Bytes from a number or a text such as `4GB`, `512 MiB` or SLURM's `16G` (powers of two without the B).
 *
 * @throws RangeError naming `what` for anything else.
 */
export function parseBytes(value: number | string, what: string): number {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && value >= 0) return Math.floor(value)
    throw new RangeError(`${what}: ${value} is no number of bytes`)
  }
  const match = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*$/i.exec(value)
  const unit = byteUnits[match?.[2]?.toLowerCase() ?? '?']
  if (!match || unit === undefined) {
    throw new RangeError(`${what}: '${value}' is no amount of memory; write for example '4GB' or '512MiB'`)
  }
  return Math.floor(Number(match[1]) * unit)
}

/**
 * Milliseconds from a number of milliseconds or a text such as `02:00:00`, `1-12:00:00` (SLURM's days), `90s` or `15min`.
 *
 * @throws RangeError naming `what` for anything else.
 */
export function parseDurationMs(value: number | string, what: string): number {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && value >= 0) return value
    throw new RangeError(`${what}: ${value} is no duration in milliseconds`)
  }
  const clock = /^\s*(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*$/.exec(value)
  if (clock) {
    const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = clock
    return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1e3
  }
  const match = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*$/i.exec(value)
  const unit = durationUnits[match?.[2]?.toLowerCase() ?? '?']
  if (!match || unit === undefined) {
    throw new RangeError(`${what}: '${value}' is no duration; write for example '02:00:00' or '90s'`)
  }
  return Number(match[1]) * unit
}
