import { rpcError } from '#libs/rpc'

const defaultPageSize = 100
const maxPageSize = 1_000

/**
 * One page of a list whose items are ordered by a key that never changes; the token names the last key seen, so that
 * items that come or go between two pages neither repeat nor hide others.
 */
export function pageOf<Item>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
): { page: Item[]; nextPageToken: string } {
  const limit = Math.min(pageSize || defaultPageSize, maxPageSize)
  const after = pageToken === '' ? undefined : Buffer.from(pageToken, 'base64url').toString()
  const page: Item[] = []
  let started = after === undefined
  for (const item of items) {
    if (!started) {
      started = keyOf(item) === after
      continue
    }
    if (page.length === limit) return { page, nextPageToken: tokenOf(keyOf(page.at(-1) as Item)) }
    page.push(item)
  }
  if (!started) {
    const message = `page_token '${pageToken.slice(0, 64)}' is unknown or its item is gone: list again from the first page`
    throw rpcError('INVALID_ARGUMENT', 'BAD_PAGE_TOKEN', message)
  }
  return { page, nextPageToken: '' }
}

function tokenOf(key: string): string {
  return Buffer.from(key).toString('base64url')
}
