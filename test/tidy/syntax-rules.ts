import ts from 'typescript'

import { complaint, inspect, type SourceFile } from './source-tree.js'

/** The mark of a line on which `any` is right: another library's type leaves no choice. */
const anyMark = /\/\/ any: \S/
const mostMarkedLines = 10

/** No `any` in what we ship, but for a few marked lines. */
export function checkAny(files: readonly SourceFile[]): string[] {
  const shipped = files.filter(({ path }) => /^(?:libs|services)\//.test(path))
  let marked = 0
  const found = shipped.flatMap((file) => {
    const lines = file.text.split('\n')
    return inspect(file, (node) => {
      if (node.kind !== ts.SyntaxKind.AnyKeyword) return undefined
      const at = file.syntax!.getLineAndCharacterOfPosition(node.getStart(file.syntax)).line
      if (![lines[at], lines[at - 1]].some((line) => anyMark.test(line ?? ''))) return 'any'
      marked += 1
      return undefined
    })
  })
  return marked > mostMarkedLines
    ? [...found, `libs:1: ${marked} marked uses of any; at most ${mostMarkedLines}`]
    : found
}

/** Everything has one name, the same wherever it is imported. */
export function checkDefaultExports(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => /^(?:libs|services|test)\//.test(path))
    .flatMap((file) =>
      inspect(file, (node) => {
        const isDefault =
          ts.isExportAssignment(node) ||
          (node.kind === ts.SyntaxKind.DefaultKeyword && node.parent.kind !== ts.SyntaxKind.DefaultClause) ||
          (ts.isExportSpecifier(node) && node.name.text === 'default')
        return isDefault ? 'default export' : undefined
      }),
    )
}

/** Every test asserts something that can fail, and none is switched off for good. */
export function checkTests(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap((file) => {
      const asserting = findAsserting(file.syntax!)
      let tests = 0
      const complaints = inspect(file, (node) => {
        if (!ts.isCallExpression(node)) return undefined
        const { root, members } = calleeOf(node)
        if (root === 'expect' && members.length > 0 && assertsConstant(node)) return 'this assertion cannot fail'
        if (!['test', 'it', 'describe'].includes(root)) return undefined
        if (members.some((name) => name === 'only' || name === 'todo' || name === 'skip')) {
          return `${root}.${members.join('.')} leaves tests out`
        }
        const body = node.arguments.findLast((argument) => ts.isFunctionLike(argument) || ts.isIdentifier(argument))
        if (root === 'describe' || body === undefined || !isTestCall(node)) return undefined
        tests += 1
        return asserting(body) ? undefined : 'this test asserts nothing'
      })
      return tests === 0 ? [...complaints, complaint(file, 1, 'there is no test in this file')] : complaints
    })
}

/** A test waits for what happens. One that waits for time is slow when all is well, and fails when the machine is busy. */
export function checkWaiting(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith('.test.ts') || path.startsWith('test/harness/'))
    .flatMap((file) =>
      inspect(file, (node) => {
        if (ts.isImportDeclaration(node)) {
          const { text } = node.moduleSpecifier as ts.StringLiteral
          return /^(?:node:)?timers\/promises$/.test(text) ? 'waits for time: wait for what happens' : undefined
        }
        if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return undefined
        const { text } = node.expression
        return /^set(?:Timeout|Interval)$/.test(text) ? `${text} waits for time: wait for what happens` : undefined
      }),
    )
}

/** `test(…)` and the outer call of `test.each(…)(…)`, but not the calls on the way there. */
function isTestCall(call: ts.CallExpression): boolean {
  const { parent } = call
  return !ts.isPropertyAccessExpression(parent) && !(ts.isCallExpression(parent) && parent.expression === call)
}

/** The name that a chain such as `expect(x).not.toBe` starts with, and the names behind it. */
function calleeOf(call: ts.CallExpression): { root: string; members: string[] } {
  const members: string[] = []
  let at: ts.Expression = call.expression
  for (;;) {
    if (ts.isPropertyAccessExpression(at)) {
      members.unshift(at.name.text)
      at = at.expression
    } else if (ts.isCallExpression(at)) at = at.expression
    else return { root: ts.isIdentifier(at) ? at.text : '', members }
  }
}

/** `expect(true).toBe(true)` and its like. */
function assertsConstant(call: ts.CallExpression): boolean {
  let at: ts.Expression = call
  while (ts.isCallExpression(at) || ts.isPropertyAccessExpression(at)) {
    if (ts.isCallExpression(at) && ts.isIdentifier(at.expression)) {
      const [subject] = at.arguments
      return subject !== undefined && isConstant(subject)
    }
    at = at.expression
  }
  return false
}

function isConstant(node: ts.Expression): boolean {
  return (
    ts.isLiteralExpression(node) || node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword
  )
}

/** Tells whether a function asserts: itself, or through functions of the same file. */
function findAsserting(syntax: ts.SourceFile): (node: ts.Node) => boolean {
  const functions = new Map<string, ts.Node>()
  const collect = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node) && node.name) functions.set(node.name.text, node)
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
      functions.set(node.name.text, node.initializer)
    }
    ts.forEachChild(node, collect)
  }
  collect(syntax)
  const known = new Map<string, boolean>()
  const nameAsserts = (name: string): boolean => {
    const own = functions.get(name)
    if (own === undefined) return false
    // Said before it is known, so that a function that calls itself comes to an end.
    if (!known.has(name)) {
      known.set(name, false)
      known.set(name, asserts(own))
    }
    return known.get(name) === true
  }
  const asserts = (node: ts.Node): boolean => {
    if (ts.isCallExpression(node)) {
      const { root, members } = calleeOf(node)
      if (/^(?:expect|assert)/.test(root === 'fc' ? (members[0] ?? '') : root)) return true
    }
    if (ts.isIdentifier(node) && nameAsserts(node.text)) return true
    return ts.forEachChild(node, (child) => asserts(child) || undefined) ?? false
  }
  return asserts
}
