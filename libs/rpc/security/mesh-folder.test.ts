import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createMeshSecurity } from './mesh-folder.js'
import { meshNameOfCertificate, parseMeshName } from './mesh-name.js'
import { createTokenVerifier, mintRoleToken } from './role-token.js'
import { ROLES } from './role.js'
import { loadSecurity } from './security.js'
import { complaintAbout } from './secret-file.js'

let tlsMesh = ''

beforeAll(async () => {
  tlsMesh = await emptyFolder()
  await createMeshSecurity(tlsMesh, { tls: true })
})

afterEach(() => {
  vi.useRealTimers()
})

async function emptyFolder(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'costate-mesh-')), 'mesh')
}

/** A mesh of its own to spoil; making certificates is slow. */
async function copyOfTlsMesh(): Promise<string> {
  const meshDir = await emptyFolder()
  await cp(tlsMesh, meshDir, { recursive: true })
  return meshDir
}

/** Every file of the folder with its content. */
async function snapshot(meshDir: string): Promise<Record<string, string>> {
  const entries = await readdir(meshDir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const contents = files.map(async (path) => [path.slice(meshDir.length + 1), await readFile(path, 'utf8')] as const)
  return Object.fromEntries(await Promise.all(contents))
}

test('a mesh folder has a token per role, and only its owner may read it', async () => {
  const meshDir = await emptyFolder()
  await createMeshSecurity(meshDir)
  const files = Object.keys(await snapshot(meshDir)).sort()
  expect(files).toEqual(['secret', ...ROLES.map((role) => `tokens/${role}`), 'verify-key'].sort())
  for (const file of files) expect((await stat(join(meshDir, file))).mode & 0o777).toBe(0o600)
  for (const folder of ['.', 'tokens']) expect((await stat(join(meshDir, folder))).mode & 0o777).toBe(0o700)
})

test('making it again changes nothing, and TLS is added without touching the tokens', async () => {
  const meshDir = await emptyFolder()
  await createMeshSecurity(meshDir)
  const before = await snapshot(meshDir)
  await createMeshSecurity(meshDir)
  expect(await snapshot(meshDir)).toEqual(before)
  await createMeshSecurity(meshDir, { tls: true })
  const after = await snapshot(meshDir)
  expect(after).toMatchObject(before)
  expect(Object.keys(after)).toHaveLength(Object.keys(before).length + 2 + 2 * ROLES.length)
  await createMeshSecurity(meshDir, { tls: true })
  expect(await snapshot(meshDir)).toEqual(after)
})

test('processes that make the same mesh at once agree on one', async () => {
  const meshDir = await emptyFolder()
  await Promise.all(Array.from({ length: 4 }, () => createMeshSecurity(meshDir, { tls: true })))
  const server = await loadSecurity(meshDir, 'scheduler')
  for (const role of ROLES) {
    const security = await loadSecurity(meshDir, role)
    expect(server.verifyToken(security.token)).toBe(role)
    const certificate = new X509Certificate(security.tls?.certPem ?? '')
    expect(certificate.verify(new X509Certificate(server.tls?.caPem ?? '').publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(security.tls?.keyPem ?? ''))).toBe(true)
  }
  expect(Object.keys(await snapshot(meshDir)).filter((name) => name.endsWith('.tmp'))).toEqual([])
})

test('a certificate names its mesh and role and nothing else, and cannot sign', async () => {
  const { tls } = await loadSecurity(tlsMesh, 'worker')
  const certificate = new X509Certificate(tls?.certPem ?? '')
  expect(certificate.subjectAltName).toMatch(/^URI:spiffe:\/\/costate\/[0-9a-f]{32}\/worker$/)
  expect(meshNameOfCertificate(tls?.certPem ?? '').role).toBe('worker')
  expect(certificate.ca).toBe(false)
  expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
  expect(new X509Certificate(tls?.caPem ?? '').ca).toBe(true)
})

test.each([
  'URI:spiffe://costate/0123456789abcdef0123456789abcdef/worker, URI:spiffe://costate/x/admin',
  'DNS:worker',
  'URI:spiffe://costate/0123456789abcdef0123456789abcdef/root',
  'URI:"spiffe://costate/0123456789abcdef0123456789abcdef/worker"',
  undefined,
])('%s is no mesh name', (subjectAltName) => {
  expect(parseMeshName(subjectAltName)).toBeUndefined()
})

test('a worker needs neither the secret nor the CA key, and can then mint nothing', async () => {
  const copy = await emptyFolder()
  for (const file of ['verify-key', 'tokens/worker', 'ca.pem', 'certs/worker.pem', 'certs/worker-key.pem']) {
    await cp(join(tlsMesh, file), join(copy, file))
  }
  const worker = await loadSecurity(copy, 'worker')
  const client = await loadSecurity(tlsMesh, 'client')
  expect(worker.verifyToken(client.token)).toBe('client')
  await expect(loadSecurity(copy, 'admin')).rejects.toThrow(/tokens\/admin is missing/)
  await expect(createMeshSecurity(copy)).rejects.toThrow(/is a copy for some roles/)
})

test('a process without the verify-key can call but not serve', async () => {
  const meshDir = await emptyFolder()
  await createMeshSecurity(meshDir)
  await rm(join(meshDir, 'verify-key'))
  const client = await loadSecurity(meshDir, 'client')
  expect(() => client.verifyToken(client.token)).toThrow(/verify-key is missing/)
})

test.each([0o640, 0o604, 0o660])('a secret of mode %i is refused, with advice', async (mode) => {
  const meshDir = await emptyFolder()
  await createMeshSecurity(meshDir)
  await chmod(join(meshDir, 'tokens/client'), mode)
  await expect(loadSecurity(meshDir, 'client')).rejects.toThrow(/tokens\/client has mode 0\d+: .*chmod 600/s)
})

test('a secret belongs to us, or to root who mounted it for our group', () => {
  const [us, stranger, root] = [1000, 1001, 0]
  expect(complaintAbout(0o600, us, us)).toBeUndefined()
  expect(complaintAbout(0o400, root, us)).toBeUndefined()
  expect(complaintAbout(0o440, root, us)).toBeUndefined()
  expect(complaintAbout(0o460, root, us)).toMatch(/mode 0460/)
  expect(complaintAbout(0o444, root, us)).toMatch(/mode 0444/)
  expect(complaintAbout(0o440, us, us)).toMatch(/mode 0440/)
  expect(complaintAbout(0o440, root, root)).toMatch(/mode 0440/)
  expect(complaintAbout(0o600, stranger, us)).toMatch(/another user/)
})

test('a token proves exactly the role that it was minted for', async () => {
  const meshDir = await emptyFolder()
  await createMeshSecurity(meshDir)
  const { verifyToken, token } = await loadSecurity(meshDir, 'worker')
  expect(token).toMatch(/^ct1\.worker\.[A-Za-z0-9_-]{86}$/)
  const last = token.at(-1) ?? ''
  const sameBits = String.fromCharCode(last.charCodeAt(0) + 1)
  const forgeries = [
    token.replace('.worker.', '.admin.'),
    token.replace('ct1', 'ct2'),
    token.slice(0, -1),
    // Base64 of 64 bytes leaves four spare bits in the last character: this one decodes to the same signature.
    token.slice(0, -1) + sameBits,
    `${token}=`,
    `${token}.`,
    token.replace('_', '/'),
    ` ${token}`,
    '',
  ].filter((forgery) => forgery !== token)
  // Both before and after the verifier has seen the real one.
  for (const forgery of forgeries) expect(verifyToken(forgery), forgery).toBeUndefined()
  expect(verifyToken(token)).toBe('worker')
  for (const forgery of forgeries) expect(verifyToken(forgery), forgery).toBeUndefined()
  expect(verifyToken(token)).toBe('worker')
})

test('tokens of one mesh prove nothing in another', async () => {
  const [ours, theirs] = [await emptyFolder(), await emptyFolder()]
  await createMeshSecurity(ours)
  await createMeshSecurity(theirs)
  const { verifyToken } = await loadSecurity(ours, 'scheduler')
  expect(verifyToken((await loadSecurity(theirs, 'admin')).token)).toBeUndefined()
})

test('a verifier holds no key that could mint', async () => {
  const meshDir = await emptyFolder()
  await createMeshSecurity(meshDir)
  const secret = createPrivateKey(await readFile(join(meshDir, 'secret')))
  const verifyKey = await readFile(join(meshDir, 'verify-key'), 'utf8')
  expect(verifyKey).toContain('PUBLIC KEY')
  expect(() => mintRoleToken(createPrivateKey(verifyKey), 'admin')).toThrow()
  expect(createTokenVerifier(secret)(mintRoleToken(secret, 'admin'))).toBe('admin')
})

test('a missing certificate and a spoilt token are made anew, the mesh stays', async () => {
  const meshDir = await copyOfTlsMesh()
  const before = await snapshot(meshDir)
  await rm(join(meshDir, 'certs/worker.pem'))
  await writeFile(join(meshDir, 'tokens/client'), 'spoilt', { mode: 0o600 })
  await createMeshSecurity(meshDir, { tls: true })
  const after = await snapshot(meshDir)
  const { 'certs/worker.pem': renewed, ...rest } = after
  expect(before).toMatchObject(rest)
  expect(meshNameOfCertificate(renewed ?? '')).toEqual(meshNameOfCertificate(before['certs/worker.pem'] ?? ''))
})

test('certificates are renewed before they end, under the same authority', async () => {
  const meshDir = await copyOfTlsMesh()
  const before = await snapshot(meshDir)
  const end = Date.parse(new X509Certificate(before['certs/worker.pem'] ?? '').validTo)
  vi.useFakeTimers({ toFake: ['Date'], now: end - 31 * 86_400_000 })
  await createMeshSecurity(meshDir, { tls: true })
  expect(await snapshot(meshDir)).toEqual(before)
  vi.setSystemTime(end - 29 * 86_400_000)
  await createMeshSecurity(meshDir, { tls: true })
  const after = await snapshot(meshDir)
  expect(Date.parse(new X509Certificate(after['certs/worker.pem'] ?? '').validTo)).toBeGreaterThan(end)
  expect(after['ca.pem']).toBe(before['ca.pem'])
  expect(after['certs/worker-key.pem']).toBe(before['certs/worker-key.pem'])
})
