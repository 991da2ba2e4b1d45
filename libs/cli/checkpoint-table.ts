import { formatBytes, formatDuration } from '#libs/domain'
import type { CheckpointDescription } from '#libs/checkpoint'

import type { Column } from './table.js'

/** A version as `costate checkpoints` shows it; times in ISO 8601. */
export interface CheckpointRow extends Omit<CheckpointDescription, 'savedAt'> {
  readonly savedAt: string
}

export function checkpointRowOf({ savedAt, ...rest }: CheckpointDescription): CheckpointRow {
  return { ...rest, savedAt: savedAt.toISOString() }
}

/** The columns of versions; ages are counted up to `nowMs`. */
export function checkpointColumns(nowMs: number): readonly Column<CheckpointRow>[] {
  return [
    { title: 'NAME', show: ({ name }) => name, isCut: true },
    { title: 'VERSION', show: ({ version }) => version },
    { title: 'SIZE', show: ({ byteLength }) => formatBytes(byteLength) },
    { title: 'AGE', show: ({ savedAt }) => formatDuration(Math.max(0, nowMs - Date.parse(savedAt))) },
    { title: 'ITERATION', show: ({ iteration = '' }) => iteration },
    { title: 'COST', show: ({ cost = '' }) => cost, isExtra: true },
    { title: 'LABELS', show: ({ labels }) => labelsOf(labels), isCut: true, isExtra: true },
  ]
}

export function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}

export function countVersions(count: number): string {
  return `${count} ${count === 1 ? 'version' : 'versions'}`
}
