/**
 * Why a task module can't be shipped or run. NOT_A_TASK, NOT_EXPORTED: it loads, but holds no such task. BUILD_FAILED: syntax
 * error, missing import. NATIVE_ADDON: native code that is not declared, or not installed on the worker. LOAD_FAILED: it throws
 * when it is imported. CLUSTER_ON_IMPORT: it starts a cluster when it is imported. CORRUPT: not the bytes that were sent.
 */
export type BundleErrorCode =
  'NOT_A_TASK' | 'NOT_EXPORTED' | 'BUILD_FAILED' | 'NATIVE_ADDON' | 'LOAD_FAILED' | 'CLUSTER_ON_IMPORT' | 'CORRUPT'

export class BundleError extends Error {
  override readonly name = 'BundleError'

  constructor(
    readonly code: BundleErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
