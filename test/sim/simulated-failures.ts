import type { TaskFailure } from '#libs/domain'

export const unavailable: TaskFailure = { kind: 'input', reason: 'INPUT_UNAVAILABLE', message: 'no holder has it' }
export const unloadable: TaskFailure = { kind: 'bundle', reason: 'MODULE_NOT_LOADED', message: 'the disk is full' }
export const thrown: TaskFailure = { kind: 'userError', reason: 'TASK_THREW', message: 'as planned' }
