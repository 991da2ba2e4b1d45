import { readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const LITERAL = String.raw`(?:'([^'\n]+)'|"([^"\n]+)"|\x60([^\x60$\n]+)\x60)`
/** What stands for the module's own folder. */
const FOLDER = String.raw`\b(?:__dirname|import\.meta\.dirname|(?:\w+\.)?dirname\(\s*(?:\w+\.)?fileURLToPath\(\s*import\.meta\.url\s*\)\s*\))`

const urlReference = new RegExp(String.raw`new\s+URL\(\s*${LITERAL}\s*,\s*import\.meta\.url\s*,?\s*\)`, 'g')
const joinReference = new RegExp(String.raw`\b(?:join|resolve)\(\s*${FOLDER}\s*,\s*((?:${LITERAL}\s*,?\s*)+)\)`, 'g')
const sumReference = new RegExp(String.raw`${FOLDER}\s*\+\s*${LITERAL}`, 'g')
const templateReference = new RegExp(String.raw`\x60\$\{\s*${FOLDER}\s*\}/([^\x60$\n]+)\x60`, 'g')

/**
 * The files that a module refers to by literal paths relative to itself: `new URL('./x', import.meta.url)`, and what packages
 * with WebAssembly in CommonJS do, `join(__dirname, 'x.wasm')`. A folder below the module's stands for all files in it. A
 * reference to nothing is left alone: it may be a file that the task writes.
 * @returns absolute paths.
 */
export async function findAssets(source: string, modulePath: string): Promise<string[]> {
  const references = [...listUrlPaths(source, modulePath), ...listJoinedPaths(source, modulePath)]
  const found = await Promise.all(
    [...new Set(references)].map(async (path) => {
      const kind = await stat(path).catch(() => undefined)
      if (kind?.isFile()) return [path]
      return kind?.isDirectory() && path.startsWith(dirname(modulePath) + sep) ? listFiles(path) : []
    }),
  )
  return found.flat().sort()
}

function listUrlPaths(source: string, modulePath: string): string[] {
  const references = [...source.matchAll(urlReference)].map(takeLiteral)
  return references.flatMap((reference) => {
    if (!URL.canParse(reference, pathToFileURL(modulePath).href)) return []
    const url = new URL(reference, pathToFileURL(modulePath))
    // A URL with a scheme of its own, and one from the root of the file system, mean the worker's machine.
    if (url.protocol !== 'file:' || /^(file:|\/)/.test(reference)) return []
    return [fileURLToPath(url).replace(/[\\/]$/, '')]
  })
}

function listJoinedPaths(source: string, modulePath: string): string[] {
  const joined = [...source.matchAll(joinReference)].map((match) =>
    [...match[1]!.matchAll(new RegExp(LITERAL, 'g'))].map(takeLiteral).join('/'),
  )
  const added = [...source.matchAll(sumReference)].map(takeLiteral)
  const templates = [...source.matchAll(templateReference)].map((match) => match[1]!)
  return [...joined, ...added, ...templates].map((path) => resolve(join(dirname(modulePath), path)))
}

function takeLiteral(match: RegExpMatchArray): string {
  return (match.slice(1) as (string | undefined)[]).find((group) => group !== undefined) ?? ''
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === '.git' ? [] : listFiles(path)
      return entry.isFile() ? [path] : []
    }),
  )
  return files.flat()
}
