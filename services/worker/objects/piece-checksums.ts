import { checksumOf } from '#libs/transfer'

/** CRC-32Cs of a body in pieces of one length, so that a part of it can be compared without the rest. */
export class PieceChecksums {
  readonly #pieceBytes: number
  readonly #sums: number[] = []
  #position = 0

  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes
  }

  /** Takes what comes next of the body, of any length. */
  add(data: Uint8Array): void {
    for (let at = 0; at < data.byteLength;) {
      const index = Math.floor(this.#position / this.#pieceBytes)
      const part = data.subarray(at, at + (index + 1) * this.#pieceBytes - this.#position)
      this.#sums[index] = checksumOf(part, this.#sums[index] ?? 0)
      this.#position += part.byteLength
      at += part.byteLength
    }
  }

  /** Whether these bytes are those of the piece. */
  matches(index: number, piece: Uint8Array): boolean {
    return this.#sums[index] === checksumOf(piece)
  }
}
