import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthorityCertificate, createLeafCertificate, generateKeyPem } from './certificate.js'
import { meshIdOf, meshUri } from './mesh-name.js'
import { mintRoleToken } from './role-token.js'
import { ROLES, type Role } from './role.js'
import { createSecretFile, readSecretFile, writeSecretFile } from './secret-file.js'

/** A leaf certificate is made anew when it ends within this time. */
const RENEWAL_MS = 30 * 86_400_000

/** Where the pieces of a mesh folder lie. */
export function meshPaths(meshDir: string) {
  return {
    secret: join(meshDir, 'secret'),
    verifyKey: join(meshDir, 'verify-key'),
    token: (role: Role) => join(meshDir, 'tokens', role),
    ca: join(meshDir, 'ca.pem'),
    caKey: join(meshDir, 'ca-key.pem'),
    cert: (role: Role) => join(meshDir, 'certs', `${role}.pem`),
    certKey: (role: Role) => join(meshDir, 'certs', `${role}-key.pem`),
  }
}

/**
 * Makes the secrets of a mesh: `secret` (Ed25519, signs role tokens), `verify-key` (its public half), `tokens/<role>`
 * and, with `tls`, `ca.pem`, `ca-key.pem`, `certs/<role>.pem`, `certs/<role>-key.pem` (EC P-256, one SPIFFE name per
 * role). The folder gets mode 0700, each file 0600, written to a temporary file and renamed. What exists stays as it
 * is, missing pieces are added and leaf certificates that end within 30 days are renewed, so that every start may call
 * it, also several at once. Throws when the folder is a copy for some roles, which lacks the keys to add anything.
 */
export async function createMeshSecurity(meshDir: string, options: { tls?: boolean } = {}): Promise<void> {
  const paths = meshPaths(meshDir)
  await mkdir(join(meshDir, 'tokens'), { recursive: true, mode: 0o700 })
  await refuseCopy(paths.secret, paths.verifyKey)
  const secret = createPrivateKey(await createSecretFile(paths.secret, generateSecretPem))
  const verifyKey = createPublicKey(secret)
  await writeSecretFile(paths.verifyKey, verifyKey.export({ type: 'spki', format: 'pem' }).toString())
  await Promise.all(ROLES.map((role) => writeSecretFile(paths.token(role), `${mintRoleToken(secret, role)}\n`)))
  if (options.tls === true) await createCertificates(meshDir, verifyKey)
}

async function createCertificates(meshDir: string, verifyKey: KeyObject): Promise<void> {
  const paths = meshPaths(meshDir)
  const meshId = meshIdOf(verifyKey)
  await mkdir(join(meshDir, 'certs'), { recursive: true, mode: 0o700 })
  await refuseCopy(paths.caKey, paths.ca)
  const authorityKeyPem = await createSecretFile(paths.caKey, generateKeyPem)
  const authorityPem = await createSecretFile(paths.ca, () => createAuthorityCertificate(authorityKeyPem, meshId))
  const createLeaf = async (role: Role) => {
    const keyPem = await createSecretFile(paths.certKey(role), generateKeyPem)
    const existing = await readSecretFile(paths.cert(role))
    if (existing !== undefined && remainingMs(existing) > RENEWAL_MS) return
    const uri = meshUri({ meshId, role })
    const commonName = `costate ${role}`
    const leaf = await createLeafCertificate({ keyPem, commonName, uri, authorityPem, authorityKeyPem })
    await writeSecretFile(paths.cert(role), leaf)
  }
  await Promise.all(ROLES.map(createLeaf))
}

/** A public half without its private half is a folder that was copied for a worker: nothing can be added to it. */
async function refuseCopy(privatePath: string, publicPath: string): Promise<void> {
  if ((await readSecretFile(privatePath)) !== undefined || (await readSecretFile(publicPath)) === undefined) return
  throw new Error(
    `${publicPath} is there but ${privatePath} is not: this folder is a copy for some roles, or the key was removed. ` +
      'Run this where the mesh was made, or use an empty folder to make a new mesh.',
  )
}

function generateSecretPem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function remainingMs(certPem: string): number {
  return Date.parse(new X509Certificate(certPem).validTo) - Date.now()
}
