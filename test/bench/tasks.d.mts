import type { Task } from 'costate'

export declare const noop: Task<[value: number], number>
export declare const ramp: Task<[length: number], Float64Array>
export declare const total: Task<[array: Float64Array], number>
