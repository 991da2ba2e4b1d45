import { createPublicKey } from 'node:crypto'
import { meshPaths } from './mesh-folder.js'
import { createTokenVerifier } from './role-token.js'
import type { Role } from './role.js'
import { readSecretFile } from './secret-file.js'

/** What a process holds to prove its role and to check the role of others. */
export interface Security {
  readonly role: Role
  /** Goes into the `authorization` metadata of every call, over TLS or loopback only. */
  readonly token: string
  /** The role that a token proves, undefined when it proves none. Throws when this process has no verify-key. */
  readonly verifyToken: (token: string) => Role | undefined
  readonly tls?: { readonly caPem: string; readonly certPem: string; readonly keyPem: string }
}

/**
 * Reads what a process of this role needs from the mesh folder: `tokens/<role>`, `verify-key` if it is there (a server
 * needs it, a mere client does not) and, if there is a `ca.pem`, the role's certificate and key. The mesh secret and
 * the CA key are never read: a worker that runs on somebody's node needs a folder with only these files. Throws when a
 * piece is missing or a file is readable by others, with advice.
 */
export async function loadSecurity(meshDir: string, role: Role): Promise<Security> {
  const paths = meshPaths(meshDir)
  const token = (await requireFile(paths.token(role))).trim()
  const verifyKeyPem = await readSecretFile(paths.verifyKey)
  const verifyToken =
    verifyKeyPem === undefined ? refuseToVerify(paths.verifyKey) : createTokenVerifier(createPublicKey(verifyKeyPem))
  const caPem = await readSecretFile(paths.ca)
  if (caPem === undefined) return { role, token, verifyToken }
  const certPem = await requireFile(paths.cert(role))
  const keyPem = await requireFile(paths.certKey(role))
  return { role, token, verifyToken, tls: { caPem, certPem, keyPem } }
}

async function requireFile(path: string): Promise<string> {
  const content = await readSecretFile(path)
  if (content !== undefined) return content
  throw new Error(
    `${path} is missing: the mesh folder lacks a piece of this role. Check the path, copy the file from where the ` +
      'mesh was made, or make the mesh with createMeshSecurity.',
  )
}

function refuseToVerify(path: string): (token: string) => never {
  return () => {
    throw new Error(`${path} is missing: this process cannot check the tokens of others. Copy it from the mesh folder.`)
  }
}
