import type { Cluster } from 'costate'

/** A problem with a published answer. */
export interface Workload {
  /** Of its file in references/. */
  readonly name: string
  /** The section of the collection that it belongs to. */
  readonly section:
    | 'control'
    | 'uncertainty'
    | 'optimisation'
    | 'validation'
    | 'map-reduce'
    | 'linear-algebra'
    | 'sampling'
    | 'learning'
    | 'simulation'
  /** Computes the reference's keys on a cluster; the same to the last bit on any. */
  answer(cluster: Cluster): Promise<Readonly<Record<string, unknown>>>
}
