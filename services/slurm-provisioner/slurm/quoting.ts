/** Text that neither bash nor sbatch treats specially anywhere in a word. */
const plain = /^[A-Za-z0-9_@%+=:,./-]+$/

/**
 * The text as one word of a bash command line.
 *
 * @throws RangeError for text with a NUL, which no argument can hold.
 */
export function shellWord(text: string): string {
  if (text.includes('\0')) throw new RangeError(`${JSON.stringify(text)} holds a NUL: it cannot be passed to a command`)
  return plain.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/**
 * The text as part of an option on an `#SBATCH` line: sbatch reads quotes and backslashes there as a shell does, but expands
 * nothing and ends the option at the end of the line.
 *
 * @throws RangeError for text with a line break or another control character.
 */
export function directiveWord(text: string): string {
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new RangeError(`${JSON.stringify(text)} holds a control character: it cannot stand on an #SBATCH line`)
  }
  return plain.test(text) ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/**
 * A file path as sbatch's `--output` takes it, whose percent signs are not patterns.
 *
 * @throws RangeError for a path with a backslash, which switches off the patterns of the whole name.
 */
export function outputPath(path: string): string {
  if (path.includes('\\')) throw new RangeError(`${path} holds a backslash: sbatch cannot name output files below it`)
  return path.replaceAll('%', '%%')
}
