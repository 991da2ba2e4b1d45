import { createSecureContext, type PeerCertificate } from 'node:tls'
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js'
import { type MeshName, meshNameOfCertificate, meshUri, parseMeshName } from './mesh-name.js'
import type { Role } from './role.js'
import type { Security } from './security.js'

/** Credentials of a server: with TLS a client must show a certificate of the same mesh (its role is checked per call). */
export function createServerCredentials({ tls }: Security): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const pair = { cert_chain: Buffer.from(tls.certPem), private_key: Buffer.from(tls.keyPem) }
  return ServerCredentials.createSsl(Buffer.from(tls.caPem), [pair], true)
}

/** Credentials of a client: with TLS the server must show a certificate of the same mesh that names `serverRole`. */
export function createClientCredentials({ tls }: Security, serverRole: Role): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure()
  const { meshId } = meshNameOfCertificate(tls.certPem)
  const context = createSecureContext({ ca: tls.caPem, cert: tls.certPem, key: tls.keyPem, minVersion: 'TLSv1.2' })
  return ChannelCredentials.createFromSecureContext(context, {
    checkServerIdentity: (_host, certificate) => refuseServer(certificate, { meshId, role: serverRole }),
  })
}

/** Names, not hosts: workers run wherever a batch system puts them, and a role does not change with the node. */
function refuseServer(certificate: PeerCertificate, expected: MeshName): Error | undefined {
  const name = parseMeshName(certificate.subjectaltname)
  if (name?.meshId === expected.meshId && name.role === expected.role) return undefined
  const shown = name === undefined ? 'no mesh role' : meshUri(name)
  return new Error(`The server's certificate names ${shown}, expected ${meshUri(expected)}. Check the address.`)
}
