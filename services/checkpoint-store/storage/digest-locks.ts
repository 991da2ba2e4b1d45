/** One at a time per digest: deleting a chunk's file and publishing it again must not cross. */
export interface DigestLocks {
  /** Runs `work` when nobody else works on any of these digests. */
  hold<Result>(digests: readonly string[], work: () => Promise<Result>): Promise<Result>
}

export function createDigestLocks(): DigestLocks {
  const tails = new Map<string, Promise<unknown>>()
  return {
    hold: async (digests, work) => {
      // All are queued for at once, so whoever comes first here is first at each of them: nobody waits in a circle.
      const unique = [...new Set(digests)]
      const before = unique.map((digest) => tails.get(digest) ?? Promise.resolve())
      const result = Promise.all(before).then(work)
      const tail = result.catch(() => undefined)
      for (const digest of unique) tails.set(digest, tail)
      try {
        return await result
      } finally {
        for (const digest of unique) if (tails.get(digest) === tail) tails.delete(digest)
      }
    },
  }
}
