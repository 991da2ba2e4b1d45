export { loadBlob } from './blob-loader.js'
export { type BlobUploader, createBlobUploader } from './blob-uploader.js'
export { ClientSession, errorOfRefusal, type SessionEvents } from './session.js'
