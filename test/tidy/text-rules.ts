import { complaint, type SourceFile } from './source-tree.js'

const mostLines = 400
const code = /\.(?:ts|mjs|cjs|js|proto|py|sh)$/

/** No file is so long that nobody reads it. */
export function checkLengths(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const lines = file.text.split('\n').length - 1
    return code.test(file.path) && lines > mostLines
      ? [complaint(file, mostLines + 1, `${lines} lines; at most ${mostLines} are allowed`)]
      : []
  })
}

// The words are put together here so that this file does not hold them.
const promises = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`)

/** What is not done is an issue, not a note in the code. */
export function checkPromises(files: readonly SourceFile[]): string[] {
  return complaints(files, promises, 'is a promise; do it or open an issue')
}

// Tests of paths may say /home/user or /home/a, which is nobody.
const machinePaths = /(?<![\w.~$}/-])\/(?:work|root|home|Users|mnt)\/(?!(?:user|\w)\b)\w|\b[A-Z]:\\Users\\/
const registries =
  /\b(?:registry|npm|artifactory|nexus|verdaccio)\.(?!npmjs\.(?:org|com)\b)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|dev|local|internal|corp)\b/

/** Nothing depends on the machine that it was written on. */
export function checkMachinePaths(files: readonly SourceFile[]): string[] {
  const written = files.filter(({ path }) => path !== 'package-lock.json')
  return [
    ...complaints(written, machinePaths, 'is a path of one machine'),
    ...complaints(files, registries, 'is a host of one site'),
  ]
}

function complaints(files: readonly SourceFile[], pattern: RegExp, what: string): string[] {
  return files.flatMap((file) =>
    file.text.split('\n').flatMap((line, index) => {
      const found = pattern.exec(line)
      return found ? [complaint(file, index + 1, `'${found[0]}' ${what}`)] : []
    }),
  )
}
