import { rpcError } from './status.js'

const defaultPageSize = 100
const maxPageSize = 1_000
/** A page ends early when its items have more bytes: a message has at most 16 MiB, and one item stays far below the rest. */
const maxPageBytes = 4 * 2 ** 20
/** Tells our tokens from anything else. */
const tokenPrefix = 'after:'

/** A list to page through: ordered by a key that says where an item is, whatever came or went before it. */
export interface PagedList<Item> {
  keyOf(item: Item): string
  /** The items behind this key, which need not be there any more; all of them without one. */
  after(key: string | undefined): Iterable<Item>
  sizeOf?(item: Item): number
}

/** One page; items that come or go between two pages neither repeat nor hide others. */
export function pageOf<Item>(
  list: PagedList<Item>,
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
): { page: Item[]; nextPageToken: string } {
  const limit = pageSizeOf(pageSize)
  const page: Item[] = []
  let byteLength = 0
  for (const item of list.after(pageToken === '' ? undefined : keyIn(pageToken))) {
    const last = page.at(-1)
    if (last !== undefined && (page.length === limit || byteLength >= maxPageBytes)) {
      return { page, nextPageToken: tokenOf(list.keyOf(last)) }
    }
    page.push(item)
    byteLength += list.sizeOf?.(item) ?? 0
  }
  return { page, nextPageToken: '' }
}

/** How many items a page has when so many were asked for; 0 for as many as is usual. */
export function pageSizeOf(wanted: number): number {
  return Math.min(wanted || defaultPageSize, maxPageSize)
}

/** A list of which all is at hand, in the order of its keys. */
export function sortedList<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): PagedList<Item> {
  return {
    keyOf,
    after: (key) =>
      [...items]
        .filter((item) => key === undefined || keyOf(item) > key)
        .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
  }
}

/** The number that a key of a list by number holds. */
export function numberIn(key: string): number {
  if (!/^[0-9]{1,15}$/.test(key)) throw badToken()
  return Number(key)
}

/** The token of the page behind the item with this key. */
export function tokenOf(key: string): string {
  return Buffer.from(`${tokenPrefix}${key}`).toString('base64url')
}

/** The key that a token of ours holds. */
export function keyIn(pageToken: string): string {
  const text = Buffer.from(pageToken, 'base64url').toString()
  const key = text.slice(tokenPrefix.length)
  // Written again and compared: Node skips what is no base64url.
  if (!text.startsWith(tokenPrefix) || tokenOf(key) !== pageToken) throw badToken()
  return key
}

function badToken() {
  const message =
    'page_token is of another list or malformed: take it from the answer before, or list from the first page'
  return rpcError('INVALID_ARGUMENT', 'BAD_PAGE_TOKEN', message, {
    fieldViolations: [{ field: 'page_token', description: message }],
  })
}
