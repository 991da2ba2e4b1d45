import type { CheckpointDescription } from '#libs/checkpoint'
import { flawOfCheckpointName, parseDurationMs } from '#libs/domain'
import { type InputBody, sha256Of } from '#libs/submission'
import { MeshError } from '#libs/task'

import type { CheckpointChange, Checkpoints, LoadedCheckpoint } from './checkpoints.js'
import { putTogether, takeApart } from './inline-body.js'
import { findNearest, labelsWith, prefixOfStudy } from './nearest-checkpoints.js'

interface Version {
  readonly description: CheckpointDescription
  readonly body: InputBody
}

/** As many as a store keeps unless told otherwise. */
const keptVersions = 3
const keepLabel = 'keep'

/** Checkpoints that end with this process, taken apart and put together as on a mesh. */
export function createInlineCheckpoints(): Checkpoints {
  const names = new Map<string, Version[]>()
  const watchers = new Set<(change: CheckpointChange) => void>()

  const find = (name: string, version = 0): Version | undefined => {
    const flaw = flawOfCheckpointName(name)
    if (flaw !== undefined) throw new MeshError('INVALID_ARGUMENT', 'BAD_NAME', flaw)
    const versions = names.get(name) ?? []
    return version === 0 ? versions.at(-1) : versions.find(({ description }) => description.version === version)
  }
  const keepOnly = (name: string, kept: readonly Version[]): void => {
    if (kept.length > 0) names.set(name, [...kept])
    else if (names.delete(name)) for (const tell of watchers) tell({ kind: 'deleted', name })
  }
  const check = (name: string, found: Version | undefined, etag: string): void => {
    const actual = found?.description.etag ?? '0'
    if (etag === '' || etag === actual) return
    const message = `checkpoint ${name} has the etag ${actual}, not ${etag}: load it and decide again`
    throw new MeshError('ABORTED', 'ETAG_MISMATCH', message)
  }
  const list: Checkpoints['list'] = async ({ prefix = '', labels = {}, allVersions = false } = {}) =>
    [...names.keys()]
      .filter((name) => name.startsWith(prefix))
      .sort()
      .flatMap((name) => {
        const versions = (names.get(name) ?? []).map(({ description }) => description)
        const wanted = versions.filter((version) => hasLabels(version, labels))
        return allVersions ? wanted : wanted.slice(-1)
      })

  return {
    save: async (name, value, { etag = '', labels: own = {}, parameters, ...info } = {}) => {
      const labels = labelsWith(own, parameters)
      check(name, find(name), etag)
      const body = takeApart(value, `the checkpoint ${name}`)
      const digest = sha256Of([body.bytes])
      const version = (find(name)?.description.version ?? 0) + 1
      const description: CheckpointDescription = {
        ...{ name, version, digest, labels, savedAt: new Date() },
        byteLength: body.bytes.byteLength,
        etag: `${version}-${digest.slice(0, 16)}`,
        ...info,
      }
      const versions = [...(names.get(name) ?? []), { description, body }]
      keepOnly(
        name,
        versions.filter((one, i) => i >= versions.length - keptVersions || isLabelled(one)),
      )
      for (const tell of watchers) tell({ kind: 'saved', checkpoint: description })
      return description
    },
    nearest: async (study, parameters, k = 1) =>
      findNearest(await list({ prefix: prefixOfStudy(study) }), parameters, k),
    load: async <T>(name: string, { version = 0 } = {}): Promise<LoadedCheckpoint<T> | undefined> => {
      const found = find(name, version)
      if (found === undefined) return undefined
      const { iteration, cost, labels } = found.description
      return {
        value: putTogether(found.body, { what: `the checkpoint ${name}` }) as T,
        ...{ version: found.description.version, labels },
        ...(iteration === undefined ? {} : { iteration }),
        ...(cost === undefined ? {} : { cost }),
      }
    },
    describe: async (name, { version = 0 } = {}) => find(name, version)?.description,
    list,
    delete: async (name, { version = 0, etag = '' } = {}) => {
      const found = find(name, version)
      if (found === undefined) {
        const message = `there is no checkpoint ${name}: it was never saved, or it was deleted`
        throw new MeshError('NOT_FOUND', 'CHECKPOINT_NOT_FOUND', message)
      }
      check(name, found, etag)
      const versions = names.get(name) ?? []
      const kept = version === 0 ? [] : versions.filter((one) => one !== found)
      keepOnly(name, kept)
      return versions.length - kept.length
    },
    prune: async ({ prefix = '', keepVersions = 1, keepFor = 0, labels = {}, dryRun = false } = {}) => {
      const youngMs = Date.now() - parseDurationMs(keepFor, 'keepFor')
      const pruned = [...names]
        .filter(([name]) => name.startsWith(prefix))
        .flatMap(([, versions]) => versions.slice(0, Math.max(0, versions.length - keepVersions)))
        .filter((one) => !isLabelled(one) && one.description.savedAt.getTime() <= youngMs)
        .filter(({ description }) => hasLabels(description, labels))
      const freedBytes = pruned.reduce((sum, { body }) => sum + body.bytes.byteLength, 0)
      if (!dryRun) {
        for (const [name, versions] of [...names]) {
          keepOnly(
            name,
            versions.filter((one) => !pruned.includes(one)),
          )
        }
      }
      return { versions: pruned.map(({ description }) => description), freedBytes }
    },
    watch: async function* (prefix = '') {
      const changes: CheckpointChange[] = (await list({ prefix })).map((checkpoint) => ({ kind: 'saved', checkpoint }))
      let wake: (() => void) | undefined
      const tell = (change: CheckpointChange): void => {
        if (!(change.kind === 'saved' ? change.checkpoint.name : change.name).startsWith(prefix)) return
        changes.push(change)
        wake?.()
      }
      watchers.add(tell)
      try {
        for (;;) {
          for (let change = changes.shift(); change !== undefined; change = changes.shift()) yield change
          await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        watchers.delete(tell)
      }
    },
  }
}

function hasLabels({ labels }: CheckpointDescription, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value)
}

function isLabelled({ description }: Version): boolean {
  return keepLabel in description.labels
}
