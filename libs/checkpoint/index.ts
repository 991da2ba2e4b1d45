export { describeCheckpoint, type CheckpointDescription } from './description.js'
export { loadCheckpoint, type LoadedBody } from './load-checkpoint.js'
export { saveCheckpoint, type CheckpointSave } from './save-checkpoint.js'
