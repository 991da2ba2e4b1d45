import { type Command, InvalidArgumentError } from 'commander'

import { answerTimeoutMs } from './mesh.js'
import type { Terminal } from './terminal.js'

/** How much of a long list is wanted. */
export interface PageOptions {
  readonly limit: number
  readonly page?: string
}

/** What was wanted of a list, and how to get what follows. */
export interface Page<Item> {
  readonly items: readonly Item[]
  /** Empty when nothing follows. */
  readonly nextPage: string
}

interface WireRequest {
  readonly pageSize: number
  readonly pageToken: string
}
type Ask<Item> = (
  request: WireRequest,
  options: { readonly deadline: number },
) => Promise<{ readonly items: readonly Item[]; readonly nextPageToken: string }>

const maxPageSize = 1_000

/** Gives a command that lists something `--limit` and `--page`. */
export function addPaging(command: Command, limit = 50): Command {
  return command
    .option('--limit <count>', 'at most so many', parseLimit, limit)
    .option('--page <token>', 'go on where a list before ended, which said this token')
}

/** Asks for pages until there are as many items as are wanted. */
export async function readPages<Item>({ limit, page = '' }: PageOptions, ask: Ask<Item>): Promise<Page<Item>> {
  const items: Item[] = []
  let pageToken = page
  do {
    const pageSize = Math.min(limit - items.length, maxPageSize)
    const answer = await ask({ pageSize, pageToken }, { deadline: answerTimeoutMs })
    items.push(...answer.items)
    pageToken = answer.nextPageToken
  } while (pageToken !== '' && items.length < limit)
  return { items, nextPage: pageToken }
}

/** Says that there is more, beside the list: on the way that warnings go. */
export function tellMore({ items, nextPage }: Page<unknown>, command: Command, terminal: Terminal): void {
  if (nextPage === '') return
  const { json } = command.optsWithGlobals<{ json?: boolean }>()
  const text = `these are the first ${items.length}: --page ${nextPage} shows what follows, --limit takes more at once`
  terminal.warn(json ? JSON.stringify({ more: { nextPage } }) : text)
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number from 1 to 999999.')
}
