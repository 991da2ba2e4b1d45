import { InvalidArgumentError } from 'commander'

/** Collects `--label key=value`, which may come several times. */
export function parseLabel(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write a label as key=value.')
  return new Map([...before, [text.slice(0, at), text.slice(at + 1)]])
}
