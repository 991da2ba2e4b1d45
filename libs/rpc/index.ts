export type { Channel, CompatServiceDefinition, ServiceImplementation } from 'nice-grpc'
export { createMeshSecurity } from './security/mesh-folder.js'
export { isRole, type Role, ROLES } from './security/role.js'
export { loadSecurity, type Security } from './security/security.js'
export {
  readRpcFailure,
  rpcError,
  RpcClientError,
  type RpcErrorExtra,
  type RpcFailure,
  type StatusName,
} from './status.js'
export type { FieldViolation, PreconditionViolation, QuotaViolation, Resource } from './status-details.js'
export { keyIn, numberIn, type PagedList, pageOf, pageSizeOf, sortedList, tokenOf } from './page.js'
export { readRequestId } from './request-id.js'
export type { RpcCallContext } from './call-middleware.js'
export { createRpcServer, type MethodName, type RpcServer, type RpcServerOptions } from './server.js'
export type { AddressSource } from './address-list.js'
export { closeRpcChannel, createRpcChannel, type RpcChannelOptions } from './channel.js'
export { createRpcClient, type RpcCallOptions, type RpcClient } from './client.js'
export { healthDefinition, SERVING_STATUS } from './health.js'
export { discardBuffer, takeFrame } from './frame-memory.js'
export { isLargeMessage, type LargeMessage } from './large-message.js'
