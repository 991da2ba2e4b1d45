import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

import type { DaskInstallation } from './dask-peer.js'

/** What ran: null for what is not there. */
export type Versions = Readonly<Record<string, string | null>>

/** The packages that the figures hang on. */
const notable = ['@grpc/grpc-js', 'nice-grpc', '@bufbuild/protobuf', '@opentelemetry/sdk-trace-base', 'esbuild']

/** Versions on both sides; those of packages are the pinned ones of the manifest. */
export async function readVersions(root: URL, dask: DaskInstallation | undefined): Promise<Versions> {
  const manifest = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
    readonly version: string
    readonly dependencies: Readonly<Record<string, string>>
  }
  return {
    costate: manifest.version,
    commit: await readCommit(root),
    node: process.versions.node,
    ...Object.fromEntries(notable.map((name) => [name, manifest.dependencies[name] ?? null])),
    python: dask?.versions.python ?? null,
    dask: dask?.versions.dask ?? null,
    distributed: dask?.versions.distributed ?? null,
    numpy: dask?.versions.numpy ?? null,
  }
}

/** The commit that is checked out; null outside a repository. */
async function readCommit(root: URL): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD'], { cwd: root })
    return stdout.trim()
  } catch {
    return null
  }
}
