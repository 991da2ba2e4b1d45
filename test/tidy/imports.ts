import path from 'node:path'

import ts from 'typescript'

import type { SourceFile } from './source-tree.js'

/** What a file takes from elsewhere. */
export interface Import {
  readonly specifier: string
  /** Nothing of it is left when the program runs. */
  readonly typeOnly: boolean
  readonly node: ts.Node
}

const known = new WeakMap<SourceFile, readonly Import[]>()

/** Every import of a file: static, re-exported, dynamic, and in types. */
export function importsOf(file: SourceFile): readonly Import[] {
  const imports = known.get(file) ?? findImports(file)
  known.set(file, imports)
  return imports
}

function findImports({ syntax }: SourceFile): readonly Import[] {
  const imports: Import[] = []
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, node: ts.Node): void => {
    if (specifier && ts.isStringLiteralLike(specifier)) imports.push({ specifier: specifier.text, typeOnly, node })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause), node)
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyExport(node), node)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, node)
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true, node)
    ts.forEachChild(node, visit)
  }
  if (syntax) visit(syntax)
  return imports
}

/** The path of the project's file that a specifier means, or nothing for a package. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('#libs/')) return `libs/${specifier.slice('#libs/'.length)}/index.ts`
  if (!specifier.startsWith('.')) return undefined
  return path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, '.ts')
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { namedBindings, name } = clause
  return !name && namedBindings !== undefined && ts.isNamedImports(namedBindings) && areTypes(namedBindings.elements)
}

function isTypeOnlyExport({ isTypeOnly: whole, exportClause }: ts.ExportDeclaration): boolean {
  return whole || (exportClause !== undefined && ts.isNamedExports(exportClause) && areTypes(exportClause.elements))
}

function areTypes(elements: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[]): boolean {
  return elements.length > 0 && elements.every(({ isTypeOnly: own }) => own)
}
