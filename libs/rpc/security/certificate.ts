import { createPrivateKey, createPublicKey, type JsonWebKey, webcrypto } from 'node:crypto'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
/** Clocks of a cluster differ a little: a certificate is valid from the hour before it was made. */
const CLOCK_SKEW_MS = 3_600_000
const AUTHORITY_DAYS = 3_650
const LEAF_DAYS = 730

/** A new EC P-256 private key as PKCS#8 PEM. */
export async function generateKeyPem(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

/** A self-signed certificate (PEM) that may sign leaves and nothing else, for the holder of the key. */
export async function createAuthorityCertificate(keyPem: string, meshId: string): Promise<string> {
  const x509 = await loadX509()
  const keys = await importKeys(keyPem)
  const now = Date.now()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=costate mesh ${meshId}`,
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return certificate.toString('pem') + '\n'
}

/** A certificate (PEM) with one name, the URI, usable at both ends of a connection, signed by the authority. */
export async function createLeafCertificate(options: {
  readonly keyPem: string
  readonly commonName: string
  readonly uri: string
  readonly authorityPem: string
  readonly authorityKeyPem: string
}): Promise<string> {
  const x509 = await loadX509()
  const authority = new x509.X509Certificate(options.authorityPem)
  const { publicKey } = await importKeys(options.keyPem)
  const now = Date.now()
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${options.commonName}`,
    issuer: authority.subject,
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + LEAF_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey,
    signingKey: (await importKeys(options.authorityKeyPem)).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: options.uri }]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return certificate.toString('pem') + '\n'
}

async function importKeys(keyPem: string): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }> {
  const privateKey = createPrivateKey(keyPem).export({ format: 'jwk' })
  const publicKey: JsonWebKey = createPublicKey(keyPem).export({ format: 'jwk' })
  return {
    privateKey: await webcrypto.subtle.importKey('jwk', privateKey, ALGORITHM, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('jwk', publicKey, ALGORITHM, true, ['verify']),
  }
}

type CryptoKey = webcrypto.CryptoKey

/** 0.2 s and 18 MB that only the process which makes certificates should pay; it wants the Reflect polyfill first. */
async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata')
  return await import('@peculiar/x509')
}
