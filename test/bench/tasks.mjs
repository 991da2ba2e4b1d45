import { task } from 'costate'

/** Gives back what it got: everything that is measured is the mesh. */
export const noop = task(import.meta, 'noop', async (value) => value)

/** 0, 1, 2, … as a Float64Array of this length. */
export const ramp = task(import.meta, 'ramp', async (length) => Float64Array.from({ length }, (_, k) => k))

/** The sum of an array. */
export const total = task(import.meta, 'total', async (array) => array.reduce((sum, value) => sum + value, 0))
