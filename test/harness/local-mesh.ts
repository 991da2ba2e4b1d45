import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { type Cluster, createLocalCluster, type LocalClusterOptions } from 'costate'

/** The repository's root, where the package under test lies. */
export const packageRoot = fileURLToPath(new URL('../../', import.meta.url))

/** A real local mesh with everything in a temporary folder: no trace of it is left when it is closed. */
export interface LocalMesh extends AsyncDisposable {
  readonly cluster: Cluster
  /** The user's folder: outside the repository, with the package installed. */
  readonly userDir: string
  readonly runDir: string
  /** The mesh folder: secrets and addresses. */
  readonly meshDir: string
  /** Writes a module into the user's folder and imports it. */
  importModule<Module>(name: string, source: string): Promise<Module>
  close(): Promise<void>
}

/** Starts a mesh of real processes. */
export async function startLocalMesh(options: LocalClusterOptions = {}): Promise<LocalMesh> {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
  const homeBefore = process.env['COSTATE_HOME']
  process.env['COSTATE_HOME'] = path.join(folder, 'home')
  const userDir = path.join(folder, 'user')
  await mkdir(path.join(userDir, 'node_modules'), { recursive: true })
  await symlink(packageRoot, path.join(userDir, 'node_modules', 'costate'))
  await writeFile(path.join(userDir, 'package.json'), '{ "name": "user", "type": "module" }')
  const runDir = path.join(folder, 'run')
  const cleanUp = async (): Promise<void> => {
    if (homeBefore === undefined) delete process.env['COSTATE_HOME']
    else process.env['COSTATE_HOME'] = homeBefore
    await rm(folder, { recursive: true, force: true })
  }
  const cluster = await createLocalCluster({ workers: 2, runDir, name: 'test', ...options }).catch(
    async (error: unknown) => {
      await cleanUp()
      throw error
    },
  )
  const close = async (): Promise<void> => {
    await cluster.close()
    await cleanUp()
  }
  return {
    cluster,
    userDir,
    runDir,
    meshDir: path.join(folder, 'home', 'meshes', options.name ?? 'test'),
    importModule: async <Module>(name: string, source: string) => {
      const file = path.join(userDir, name)
      await writeFile(file, source)
      return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Module
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** What a promise was rejected with. */
export async function rejectionOf(
  promise: Promise<unknown>,
): Promise<Error & { reason?: string; kind?: string; code?: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it was expected to fail, but did not')
}
