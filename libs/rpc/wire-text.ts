/**
 * The text, fit for `grpc-message` and a protobuf string: lone surrogates (which grpc-js cannot encode and dies of)
 * become U+FFFD, and what exceeds `limitBytes` when percent-encoded is cut.
 */
export function fitWireText(text: string, limitBytes: number): string {
  // A Buffer round trip replaces lone surrogates; no character encodes to more than its bytes times three.
  const wellFormed = Buffer.from(text.slice(0, limitBytes), 'utf8').toString('utf8')
  if (text.length <= limitBytes && encodeURI(wellFormed).length <= limitBytes) return wellFormed
  const kept: string[] = []
  let bytes = encodeURI('…').length
  for (const character of wellFormed) {
    bytes += encodeURI(character).length
    if (bytes > limitBytes) break
    kept.push(character)
  }
  return `${kept.join('')}…`
}
