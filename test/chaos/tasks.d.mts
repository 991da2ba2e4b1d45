import type { Task } from 'costate'

export declare const visit: Task<[folder: string, index: number, ms: number], number>
export declare const meet: Task<[folder: string, index: number, count: number], void>
