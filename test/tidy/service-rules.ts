import ts from 'typescript'

import { importsOf, resolveImport } from './imports.js'
import { complaint, inspect, isTest, type SourceFile } from './source-tree.js'

/** The services, each with the folder for the one foreign thing that it drives. */
const outsides: Readonly<Record<string, readonly string[]>> = {
  // A scheduler drives two things: its peers, and the store that keeps its facts.
  scheduler: ['effects', 'storage'],
  // A worker drives two things: the threads that run tasks, and the memory that holds objects.
  worker: ['exec', 'objects'],
  'checkpoint-store': ['storage'],
  // A provisioner drives two things: SLURM, and the store that keeps its facts.
  'slurm-provisioner': ['slurm', 'storage'],
}
const rootFiles = ['README.md', 'config.ts', 'loop.ts', 'main.ts', 'metrics.ts', 'service.ts']

/** Every service has the same files and folders, so that who knows one knows all. */
export function checkServiceFiles(files: readonly SourceFile[]): string[] {
  return Object.entries(outsides).flatMap(([service, folders]) => {
    const own = files
      .filter((file) => file.path.startsWith(`services/${service}/`) && !isTest(file))
      .map(({ path }) => path.split('/').slice(2))
    const there = new Set(own.map((steps) => (steps.length > 1 ? `${steps[0]}/` : steps[0]!)))
    const wanted = [...rootFiles, 'core/', 'rpc/', ...folders.map((folder) => `${folder}/`)]
    return [
      ...wanted.filter((name) => !there.has(name)).map((name) => `services/${service}:1: ${name} is missing`),
      ...[...there]
        .filter((name) => !wanted.includes(name))
        .map((name) => `services/${service}:1: ${name} is not in the plan of a service`),
    ]
  })
}

/**
 * main → service → loop → core → #libs/domain. rpc/ and the outside folders know types of core and loop, and what reads the
 * core's state (selectors); what changes it (decide, apply, emit) is the loop's alone.
 */
export function checkLayers(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => file.path.startsWith('services/') && !isTest(file))
    .flatMap((file) => {
      const from = layerOf(file.path)
      return importsOf(file).flatMap(({ specifier, typeOnly, node }) => {
        const target = resolveImport(file.path, specifier)
        const what = from === 'core' ? refuseInCore(specifier, target) : refuseElsewhere(from, target, typeOnly)
        return what === undefined ? [] : [complaint(file, node, what)]
      })
    })
}

type Layer = 'core' | 'loop' | 'service' | 'main' | 'config' | 'metrics' | 'rim'

function layerOf(file: string): Layer {
  const [, , first = ''] = file.split('/')
  if (first === 'core') return 'core'
  const stem = first.replace(/\.ts$/, '')
  return (['loop', 'service', 'main', 'config', 'metrics'] as const).find((layer) => layer === stem) ?? 'rim'
}

function refuseInCore(specifier: string, target: string | undefined): string | undefined {
  if (specifier === '#libs/domain' || (target !== undefined && layerOf(target) === 'core')) return undefined
  return `a core imports only itself and #libs/domain, not ${specifier}`
}

function refuseElsewhere(from: Layer, target: string | undefined, typeOnly: boolean): string | undefined {
  if (!target?.startsWith('services/')) return undefined
  const to = layerOf(target)
  if (to === 'main') return 'nobody imports main.ts'
  if (to === 'service' && from !== 'main') return 'only main.ts imports service.ts'
  if (from === 'main' && to !== 'service' && to !== 'config') return 'main.ts imports service.ts and config.ts only'
  if (typeOnly || from === 'service') return undefined
  if (to === 'loop') return 'only service.ts runs the loop; others import its types'
  const mutates = /\/core\/(decide|reconcile|act|apply|emit)\.ts$/.test(target)
  if (from === 'rim' && to === 'core' && mutates)
    return 'only the loop changes the state: rpc/ and the outside folders read it'
  if (from === 'loop' && to === 'rim') return 'the loop gets its rim through ports; it imports their types only'
  return undefined
}

const impureNames: ReadonlySet<string> = new Set([
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'process', 'performance', 'Promise', 'fetch'],
  ...['crypto', 'console', 'require', 'globalThis'],
])
const impureMembers: ReadonlySet<string> = new Set(['Date.now', 'Math.random'])

/** A core is synchronous and knows no clock, no dice and no process. */
export function checkPurity(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => /^services\/[^/]+\/core\//.test(file.path) && !isTest(file))
    .flatMap((file) => inspect(file, impurityOf))
}

function impurityOf(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitKeyword) return 'async in a core'
  if (ts.isAwaitExpression(node)) return 'await in a core'
  if (ts.isPropertyAccessExpression(node) && impureMembers.has(node.getText())) return `${node.getText()} in a core`
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) {
    return 'the clock in a core'
  }
  return ts.isIdentifier(node) && impureNames.has(node.text) && isReference(node) ? `${node.text} in a core` : undefined
}

/** Whether the name stands for a value or type from outside, and not for a field or something declared here. */
function isReference(name: ts.Identifier): boolean {
  const { parent } = name
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === name
  if (ts.isShorthandPropertyAssignment(parent)) return true
  return !('name' in parent && parent.name === name) && !(ts.isBindingElement(parent) && parent.propertyName === name)
}
