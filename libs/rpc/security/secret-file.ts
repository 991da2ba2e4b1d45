import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { userInfo } from 'node:os'

/** What some FUSE and network file systems answer to link(2). */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Reads a file that only its owner may read. A file that is readable by others is refused, since what it holds may
 * have leaked already; a file of root may be readable by our group, as secrets mounted by Kubernetes are. Undefined
 * when there is no such file.
 */
export async function readSecretFile(path: string): Promise<string | undefined> {
  let file
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const { mode, uid } = await file.stat()
    const complaint = complaintAbout(mode, uid, process.getuid?.())
    if (complaint !== undefined) throw new Error(`${path} ${complaint}`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** What is wrong with the owner and mode of a secret file, with advice, for a process of the user `ourUid`. */
export function complaintAbout(mode: number, uid: number, ourUid: number | undefined): string | undefined {
  if (ourUid === undefined) return undefined
  const mountedForUs = uid === 0 && ourUid !== 0
  if (uid !== ourUid && !mountedForUs) {
    return `belongs to another user (uid ${uid}). Use a mesh folder of ${userInfo().username}.`
  }
  if ((mode & (mountedForUs ? 0o037 : 0o077)) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0')
    return `has mode ${octal}: its secret can be read or changed by others. Run: chmod 600, or make a new mesh if they may have read it.`
  }
  return undefined
}

/** Writes a file of mode 0600 by way of a temporary file and a rename; nothing happens when it holds that already. */
export async function writeSecretFile(path: string, content: string): Promise<void> {
  if ((await readIfExists(path)) === content) return
  const temporary = await writeTemporary(path, content)
  await rename(temporary, path)
}

/**
 * Writes a file of mode 0600 unless it exists, and returns what the file then holds. Of several processes that race,
 * exactly one wins and all return the same content.
 */
export async function createSecretFile(path: string, makeContent: () => string | Promise<string>): Promise<string> {
  const existing = await readIfExists(path)
  if (existing !== undefined) return existing
  const temporary = await writeTemporary(path, await makeContent())
  try {
    // Unlike a rename, a link never replaces what somebody else has put there meanwhile.
    await link(temporary, path)
  } catch (error) {
    if (NO_HARD_LINKS.has(errorCode(error) ?? '')) await rename(temporary, path)
    else if (errorCode(error) !== 'EEXIST') throw error
  } finally {
    await rm(temporary, { force: true })
  }
  return await readFile(path, 'utf8')
}

async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function writeTemporary(path: string, content: string): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  return temporary
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
