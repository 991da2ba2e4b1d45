import { relative, sep } from 'node:path'
import { type AnyTask, compositionOf } from '#libs/task'
import { isWithin, ownPackage } from './location.js'
import { ownNamespace } from './sdk-plugin.js'

/**
 * The source of the module that a bundle of a composed task begins with: it imports the combinators and the modules of their
 * parts, and makes the task again. What the first part's module exports, it exports too: a task may submit its neighbours.
 * @param pathOf the file of a module URL.
 */
export function composedEntry(task: AnyTask, pathOf: (moduleUrl: string) => string): string {
  const lines: string[] = [`import { exportedTask } from 'costate'`]
  const names = new Map<string, string>()
  const importOnce = (key: string, statement: (name: string) => string): string => {
    let name = names.get(key)
    if (name === undefined) {
      name = `$costate${names.size}`
      names.set(key, name)
      lines.push(statement(name))
    }
    return name
  }
  const expressionOf = (part: AnyTask): string => {
    const composition = compositionOf(part)
    if (composition === undefined) {
      const file = JSON.stringify(pathOf(part.moduleUrl))
      const module = importOnce(file, (name) => `import * as ${name} from ${file}`)
      return `exportedTask(${module}, ${JSON.stringify(part.taskName)}, ${JSON.stringify(moduleNameOf(pathOf(part.moduleUrl)))})`
    }
    const { combinator, moduleUrl, parts } = composition
    const from = JSON.stringify(specifierOf(pathOf(moduleUrl)))
    const make = importOnce(`${from} ${combinator}`, (name) => `import { ${combinator} as ${name} } from ${from}`)
    const made = Object.entries(parts).map(([name, value]) => `${JSON.stringify(name)}: ${expressionOf(value)}`)
    return `${make}({ ${made.join(', ')} })`
  }
  const expression = expressionOf(task)
  lines.push(`export const $costateTask = ${expression}`, `export * from ${JSON.stringify(pathOf(task.moduleUrl))}`)
  return lines.join('\n')
}

/** Files of this package go by names of their own, wherever it is installed. */
function specifierOf(file: string): string {
  if (!isWithin(ownPackage.libs, file)) return file
  return `${ownNamespace}:${relative(ownPackage.root, file).split(sep).join('/')}`
}

/** For messages: equal sources give equal bytes, wherever they lie. */
function moduleNameOf(file: string): string {
  return file.split(sep).at(-1)!
}
