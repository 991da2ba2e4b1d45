import { importsOf, resolveImport } from './imports.js'
import { complaint, isTest, type SourceFile } from './source-tree.js'

/** Everything that the public SDK is built on. */
const belowClient = [
  ...['domain', 'proto', 'task', 'value', 'config', 'lifecycle', 'journal', 'telemetry', 'memory', 'rpc'],
  ...['transfer', 'bundle', 'control', 'submission', 'session', 'checkpoint', 'profile'],
]

/** Which libs a lib may import. One that is not here may import nothing, so that a new one is thought about. */
const libImports: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  proto: ['domain'],
  task: ['domain'],
  value: ['domain', 'proto', 'task', 'memory'],
  config: ['domain'],
  lifecycle: ['domain'],
  journal: ['domain'],
  telemetry: ['domain'],
  memory: [],
  rpc: ['domain', 'proto', 'telemetry'],
  transfer: ['domain', 'proto', 'memory', 'rpc'],
  profile: ['domain', 'proto', 'rpc'],
  checkpoint: ['proto', 'task', 'memory', 'transfer'],
  bundle: ['domain', 'task'],
  control: ['domain'],
  learning: ['domain'],
  // What a job is made of, without anything that speaks to a mesh: also for the threads that run tasks.
  submission: ['domain', 'proto', 'task', 'value', 'memory'],
  session: ['proto', 'task', 'memory', 'rpc', 'transfer', 'submission'],
  client: belowClient,
  primitives: ['domain', 'task', 'telemetry', 'client'],
  cli: [...belowClient, 'client', 'primitives'],
  demos: ['client', 'primitives', 'control', 'learning', 'cli', 'telemetry', 'domain'],
}

/** What is for users and not for services. */
const notForServices: readonly string[] = ['client', 'primitives', 'cli', 'demos', 'control', 'learning']

/** Doors of a lib besides its index, for threads that must not load all of it. */
const sideDoors: readonly string[] = ['telemetry/thread', 'profile/sampling']

/** Who may import whom between libs, services and tests, and that a lib has one door. */
export function checkDirections(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap(({ specifier, node }) => {
      const target = resolveImport(file.path, specifier)
      const what = target === undefined ? undefined : refuse(file, specifier, target)
      return what === undefined ? [] : [complaint(file, node, what)]
    }),
  )
}

function refuse(file: SourceFile, specifier: string, target: string): string | undefined {
  const [fromArea, fromName] = areaOf(file.path)
  const [toArea, toName] = areaOf(target)
  const sameUnit = fromArea === toArea && fromName === toName
  if (/(?:^|\/)gen\//.test(target)) {
    return fromArea === 'libs' && fromName === 'proto' ? undefined : 'generated code comes only through #libs/proto'
  }
  if (sameUnit && fromArea !== 'test') {
    return specifier.startsWith('#') ? `inside libs/${fromName} imports are relative` : undefined
  }
  if (fromArea === 'test') return undefined
  if (toArea === 'test') return isTest(file) ? undefined : 'only tests import from test/'
  if (toArea === 'services') {
    return fromArea === 'services' ? 'a service never imports another service' : 'a lib never imports a service'
  }
  if (toArea !== 'libs') return `${target} is no place to import from`
  const door = specifier.slice('#libs/'.length)
  if (!specifier.startsWith('#libs/') || (door !== toName && !sideDoors.includes(door))) {
    return `a lib is imported as #libs/${toName} and not by its files`
  }
  if (fromArea === 'services') return notForServices.includes(toName) ? `services do not import ${toName}` : undefined
  return libImports[fromName]?.includes(toName) ? undefined : `libs/${fromName} may not import libs/${toName}`
}

function areaOf(file: string): [area: string, name: string] {
  const [area = '', name = ''] = file.split('/')
  return [area, name]
}

/** What runs imports only packages that are installed with it; what tests imports only packages that are declared. */
export function checkPackages(files: readonly SourceFile[]): string[] {
  const manifest = JSON.parse(files.find(({ path }) => path === 'package.json')?.text ?? '{}') as {
    readonly name?: string
    readonly dependencies?: Readonly<Record<string, string>>
    readonly devDependencies?: Readonly<Record<string, string>>
  }
  const installed = Object.keys(manifest.dependencies ?? {})
  const declared = [...installed, ...Object.keys(manifest.devDependencies ?? {})]
  return files
    .filter(({ path }) => /^(?:libs|services|test)\//.test(path))
    .flatMap((file) =>
      importsOf(file).flatMap(({ specifier, node }) => {
        if (/^(?:node:|\.|#libs\/)/.test(specifier)) return []
        const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
        if (name === manifest.name || (isTest(file) ? declared : installed).includes(name)) return []
        const where = declared.includes(name) ? 'a development dependency' : 'not in package.json'
        return [complaint(file, node, `${name} is ${where}`)]
      }),
    )
}

/** Files that import each other, directly or around corners. Types may name each other: nothing of that is left at run time. */
export function checkCycles(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map(({ path }) => path))
  const edges = new Map(
    files.map((file) => {
      const targets = importsOf(file).map(({ specifier, typeOnly }) =>
        typeOnly ? undefined : resolveImport(file.path, specifier),
      )
      return [file.path, targets.filter((target) => target !== undefined && known.has(target)) as string[]]
    }),
  )
  return findCycles(edges).map((cycle) => `${cycle[0]}:1: import cycle ${[...cycle, cycle[0]].join(' → ')}`)
}

/** One cycle for each edge that leads back to a file under way in a depth-first walk (Tarjan 1972). */
function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const trail: string[] = []
  const walk = (file: string): void => {
    const at = trail.indexOf(file)
    if (at >= 0) cycles.push(trail.slice(at))
    if (at >= 0 || done.has(file)) return
    trail.push(file)
    for (const target of edges.get(file) ?? []) walk(target)
    trail.pop()
    done.add(file)
  }
  for (const file of edges.keys()) walk(file)
  return cycles
}
