import type { Task } from 'costate'

export declare const noop: Task<[value: number], number>
export declare const next: Task<[value: number], number>
export declare const sum: Task<[values: readonly number[]], number>
export declare const ramp: Task<[length: number], Float64Array>
export declare const total: Task<[array: Float64Array], number>
export declare const lastOf: Task<[array: Float64Array], number>
export declare const crunch: Task<[steps: number], number>
export declare const sleep: Task<[ms: number], void>
export declare const hold: Task<[nothing: null], void>
export declare const solve: Task<[steps: number, stateBytes: number, everyMs: number], number>
export declare const payoff: Task<[index: number], number>
export declare const payoffs: Task<[count: number], { count: number; mean: number; squares: number }>
export declare const busySphere: Task<[parameters: Readonly<Record<string, number>>], number>
