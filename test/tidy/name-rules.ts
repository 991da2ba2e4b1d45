import path from 'node:path'

import ts from 'typescript'

import { complaint, inspect, type SourceFile } from './source-tree.js'

const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const snake = /^[a-z0-9]+(?:_[a-z0-9]+)*$/
/** Names that tools and habit spell otherwise. */
const givenNames = new Set([
  ...['README.md', 'CHANGELOG.md', 'Makefile', 'Dockerfile', 'buf.gen.yaml', '__init__.py', '__main__.py'],
])

/** Files and folders are in kebab-case; Python modules and proto files as their tools want them. */
export function checkFileNames(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const name = path.posix.basename(file.path)
    if (!file.path.includes('/') || givenNames.has(name)) return []
    const style = /\.(?:py|proto)$/.test(name) ? snake : kebab
    const stem = name.replace(/(?:\.(?:property|sim))?(?:\.(?:test|fixture|config|d))?\.[a-z]+$/, '')
    const folders = path.posix
      .dirname(file.path)
      .split('/')
      .filter((folder) => folder !== '.ci')
    const odd = [stem, ...(style === snake ? [] : folders)].filter((part) => !style.test(part) && !kebab.test(part))
    return odd.map((part) => complaint(file, 1, `'${part}' is not in kebab-case`))
  })
}

// A context manager is what OpenTelemetry calls its port; the word is not ours to choose.
const vagueStems =
  /^(?:utils?|common|helpers?|misc|shared|stuff|types|interfaces|constants|base(?:-.*)?|.*-(?:utils?|helpers?)|(?:.*-)?(?<!context-)manager)$/
const vagueNames = /(?:(?<!Context)Manager|Helpers?|Utils?)$|^Base[A-Z]/

/** A name says what a thing is; these say only that it is a thing. */
export function checkVagueNames(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path: file }) => /^(?:libs|services|test)\//.test(file))
    .flatMap((file) => {
      const stems = file.path.split('/').map((part) => part.replace(/(?:\.test)?\.[a-z]+$/, ''))
      const vague = stems
        .filter((stem) => vagueStems.test(stem))
        .map((stem) => complaint(file, 1, `'${stem}' says nothing`))
      return [...vague, ...inspect(file, vagueDeclaration)]
    })
}

function vagueDeclaration(node: ts.Node): string | undefined {
  const declares =
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isFunctionDeclaration(node)
  const name = declares ? node.name?.text : undefined
  return name !== undefined && vagueNames.test(name) ? `'${name}' says nothing` : undefined
}
