/** The part of Chrome's CPU profile format that is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  /** Ids of the nodes that ran, one per sample. */
  readonly samples: readonly number[]
  /** Microseconds between a sample and the one before. */
  readonly timeDeltas: readonly number[]
}

type Ranking = readonly (readonly [name: string, ms: number])[]

/** Where the time of a profile went, in milliseconds, largest first. */
export interface ProfileSummary {
  readonly totalMs: number
  /** Without the time in which nothing was to do. */
  readonly busyMs: number
  readonly packages: Ranking
  readonly self: Ranking
  /** Functions of this project together with what they called; recursion counts once. */
  readonly total: Ranking
}

const idle = '(idle)'

export function summarize({ nodes, samples, timeDeltas }: CpuProfile): ProfileSummary {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const spentMs = new Map<number, number>()
  samples.forEach((id, k) => spentMs.set(id, (spentMs.get(id) ?? 0) + (timeDeltas[k] ?? 0) / 1000))

  const packages = new Map<string, number>()
  const self = new Map<string, number>()
  const total = new Map<string, number>()
  let totalMs = 0
  let idleMs = 0
  for (const [id, ms] of spentMs) {
    totalMs += ms
    const frame = byId.get(id)?.callFrame
    if (frame === undefined) continue
    if (frame.functionName === idle) {
      idleMs += ms
      continue
    }
    add(packages, packageOf(frame.url) || frame.functionName, ms)
    add(self, nameOf(frame), ms)
    const above = new Set<string>()
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const caller = byId.get(at)?.callFrame
      if (caller && isOurs(caller.url)) above.add(nameOf(caller))
    }
    for (const name of above) add(total, name, ms)
  }
  return { totalMs, busyMs: totalMs - idleMs, packages: rank(packages), self: rank(self), total: rank(total) }
}

function add(sums: Map<string, number>, name: string, ms: number): void {
  sums.set(name, (sums.get(name) ?? 0) + ms)
}

function rank(sums: ReadonlyMap<string, number>): Ranking {
  return [...sums].sort(([, a], [, b]) => b - a)
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  return url === '' ? functionName : `${functionName || '(anonymous)'} ${shortUrl(url)}:${lineNumber + 1}`
}

function isOurs(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/')
}

/** A package of npm, a folder of ours such as `libs/rpc`, or `node:` for what is built in. */
function packageOf(url: string): string {
  if (url === '') return ''
  if (url.startsWith('node:')) return 'node:'
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  return installed ?? /(?:^|\/)((?:libs|services)\/[^/]+)/.exec(url)?.[1] ?? shortUrl(url)
}

function shortUrl(url: string): string {
  return /(?:node_modules|dist)\/(.*)/.exec(url)?.[1] ?? url.replace(/^file:.*\/([^/]+\/[^/]+)$/, '$1')
}
