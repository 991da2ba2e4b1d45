import { type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'
import { isRole, type Role } from './role.js'

const VERSION = 'ct1'

/**
 * The token of a role, as printed: `ct1.<role>.<base64url>`, the last part being the Ed25519 signature (RFC 8032) of a
 * versioned role string by the mesh secret. Who can verify tokens can therefore not mint any. Ed25519 is
 * deterministic: one mesh has one token per role.
 */
export function mintRoleToken(secret: KeyObject, role: Role): string {
  return `${VERSION}.${role}.${sign(null, signedText(role), secret).toString('base64url')}`
}

/**
 * A function from a token to the role that it proves, or undefined for anything this mesh did not mint. Verifying
 * costs about 0.1 ms, so a token that passed is remembered and later compared in constant time.
 */
export function createTokenVerifier(verifyKey: KeyObject): (token: string) => Role | undefined {
  const proven = new Map<Role, Buffer>()
  return (token) => {
    const [version, role, signatureText, ...rest] = token.split('.')
    if (version !== VERSION || role === undefined || !isRole(role) || signatureText === undefined || rest.length > 0) {
      return undefined
    }
    const presented = Buffer.from(token)
    const known = proven.get(role)
    if (known?.length === presented.length && timingSafeEqual(known, presented)) return role
    const signature = Buffer.from(signatureText, 'base64url')
    // The decoder skips foreign characters and spare bits: only the canonical spelling is a token.
    if (signature.length !== 64 || signature.toString('base64url') !== signatureText) return undefined
    if (!verify(null, signedText(role), verifyKey, signature)) return undefined
    proven.set(role, presented)
    return role
  }
}

function signedText(role: Role): Buffer {
  return Buffer.from(`costate role token ${VERSION}\n${role}`)
}
