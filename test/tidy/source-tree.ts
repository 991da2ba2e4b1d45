import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import ts from 'typescript'

/** A file of the project as the rules see it. */
export interface SourceFile {
  /** From the root of the project, with slashes. */
  readonly path: string
  readonly text: string
  /** For TypeScript only. */
  readonly syntax: ts.SourceFile | undefined
}

const leftOut = new Set(['node_modules', 'dist', 'gen', 'coverage', '.git', '.costate', '.venv', '__pycache__'])
const folders = ['.ci', 'deploy', 'libs', 'proto', 'services', 'test']
const readable = /(?:\.(?:ts|mjs|cjs|js|json|md|proto|py|sh|ya?ml|html|css|txt)|\/(?:Makefile|Dockerfile|run))$/

/** The files that people wrote: of the root itself, and of the folders above. */
export function readTree(root: string): readonly SourceFile[] {
  const files: SourceFile[] = []
  const walk = (folder: string): void => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const file = path.posix.join(folder, entry.name)
      if (entry.isDirectory()) {
        if (!leftOut.has(entry.name) && (folder !== '' || folders.includes(entry.name))) walk(file)
      } else if (readable.test(`/${file}`)) {
        files.push(sourceFile(file, readFileSync(path.join(root, file), 'utf8')))
      }
    }
  }
  walk('')
  return files
}

/** A file with this text, whether or not there is one. */
export function sourceFile(file: string, text: string): SourceFile {
  const syntax = file.endsWith('.ts') ? ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true) : undefined
  return { path: file, text, syntax }
}

/** Whether the file is only there for tests. */
export function isTest({ path: file }: { readonly path: string }): boolean {
  return /\.(?:test|fixture)\.ts$|\/testing\//.test(file) || file.startsWith('test/')
}

/** What a rule has to complain about, `file:line: what`. */
export function complaint(file: SourceFile, at: ts.Node | number, what: string): string {
  const line =
    typeof at === 'number' ? at : file.syntax!.getLineAndCharacterOfPosition(at.getStart(file.syntax)).line + 1
  return `${file.path}:${line}: ${what}`
}

/** The complaints about the nodes of a file, wherever they are in it. */
export function inspect(file: SourceFile, look: (node: ts.Node) => string | undefined): string[] {
  const complaints: string[] = []
  const visit = (node: ts.Node): void => {
    const what = look(node)
    if (what !== undefined) complaints.push(complaint(file, node, what))
    ts.forEachChild(node, visit)
  }
  if (file.syntax) visit(file.syntax)
  return complaints
}
