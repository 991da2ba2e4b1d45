import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { isRole, type Role } from './role.js'

/** Who a certificate says its holder is. */
export interface MeshName {
  readonly meshId: string
  readonly role: Role
}

/** The id of the mesh whose tokens this key verifies: 32 hex digits, the start of the key's SHA-256. */
export function meshIdOf(verifyKey: KeyObject): string {
  const der = verifyKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('hex').slice(0, 32)
}

/** The SPIFFE id that a certificate of this role carries as its one subject alternative name. */
export function meshUri({ meshId, role }: MeshName): string {
  return `spiffe://costate/${meshId}/${role}`
}

/**
 * The mesh and role in a certificate's subject alternative name, as Node prints it. Undefined unless the certificate
 * carries exactly one name and that name is ours: with a second one there would be a choice to get wrong.
 */
export function parseMeshName(subjectAltName: string | undefined): MeshName | undefined {
  const match = /^URI:spiffe:\/\/costate\/([0-9a-f]{32})\/([A-Za-z]+)$/.exec(subjectAltName ?? '')
  const [, meshId, role] = match ?? []
  return meshId !== undefined && role !== undefined && isRole(role) ? { meshId, role } : undefined
}

/** The mesh and role of a PEM certificate; throws when it is none of ours. */
export function meshNameOfCertificate(certPem: string): MeshName {
  const name = parseMeshName(new X509Certificate(certPem).subjectAltName)
  if (name === undefined) throw new Error('The certificate names no mesh role. Use one made by createMeshSecurity.')
  return name
}
