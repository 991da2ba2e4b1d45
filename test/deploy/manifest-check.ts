import path from 'node:path'

import ts from 'typescript'

/** A Kubernetes object as its YAML says. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly [field: string]: unknown
}

/**
 * What is wrong with the manifests by the Kubernetes API's own types (kubernetes-types is generated from its OpenAPI
 * description): fields that it does not know, values of another type, required fields that are missing, kinds that it does not
 * have. Each complaint starts with the place, such as `Deployment costate-worker: spec.replicas: …`.
 *
 * The compiler does the work: a manifest written as an object literal of its type may hold nothing else.
 */
export function checkManifests(manifests: readonly Manifest[]): string[] {
  const sources = new Map(
    manifests.map((manifest, index) => [
      path.resolve(import.meta.dirname, `manifest-${index}.ts`),
      literalOf(manifest),
    ]),
  )
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    exactOptionalPropertyTypes: true,
  }
  const host = ts.createCompilerHost(options)
  const disk = { ...host }
  host.fileExists = (file) => sources.has(file) || disk.fileExists(file)
  host.readFile = (file) => sources.get(file) ?? disk.readFile(file)
  host.getSourceFile = (file, languageVersion, ...rest) => {
    const text = sources.get(file)
    if (text === undefined) return disk.getSourceFile(file, languageVersion, ...rest)
    return ts.createSourceFile(file, text, languageVersion, true)
  }
  const program = ts.createProgram([...sources.keys()], options, host)
  return [...sources.keys()].flatMap((file, index) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start }) =>
        `${nameOf(manifests[index]!)}: ${placeOf(source!, start ?? 0)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    )
  })
}

/** `apps/v1` Deployment is `Deployment` of `kubernetes-types/apps/v1`, `networking.k8s.io/v1` is in `…/networking/v1`. */
function literalOf(manifest: Manifest): string {
  const [group, version] = manifest.apiVersion.includes('/')
    ? manifest.apiVersion.split('/')
    : ['core', manifest.apiVersion]
  const module = `kubernetes-types/${group?.split('.')[0]}/${version}.js`
  const content = JSON.stringify(manifest, undefined, 1)
  return `import type { ${manifest.kind} } from '${module}'\nexport const manifest: ${manifest.kind} = ${content}\n`
}

function nameOf({ kind, metadata }: Manifest): string {
  return `${kind} ${(metadata as { name?: string } | undefined)?.name ?? '(no name)'}`
}

/** The path of the field at a position, such as `spec.ports[0].port`. */
function placeOf(source: ts.SourceFile, position: number): string {
  let place = ''
  const visit = (node: ts.Node): void => {
    if (position < node.getStart(source) || position >= node.getEnd()) return
    if (ts.isPropertyAssignment(node)) place += `${place === '' ? '' : '.'}${(node.name as ts.StringLiteral).text}`
    if (ts.isArrayLiteralExpression(node.parent)) place += `[${node.parent.elements.indexOf(node as ts.Expression)}]`
    ts.forEachChild(node, visit)
  }
  ts.forEachChild(source, visit)
  return place || 'manifest'
}
