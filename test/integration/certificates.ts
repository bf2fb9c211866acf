// Certificates for nodes of a test, each of an authority of its own.

import { execFileSync } from 'node:child_process'
import path from 'node:path'
import type { TlsFiles } from '../../src/wire/transport.js'

/** A key, and a certificate that an authority made for it. */
export function certificate(folder: string, name: string): TlsFiles {
  const file = (what: string): string => path.join(folder, `${name}.${what}`)
  const openssl = (...args: readonly string[]): unknown =>
    execFileSync('openssl', args, { stdio: 'ignore' })
  const [ca, cert, key] = [file('ca'), file('cert'), file('key')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...curve, '-keyout', file('ca.key'), '-out', ca, '-subj', `/CN=${name}`)
  openssl('req', ...curve, '-keyout', key, '-out', file('csr'), '-subj', `/CN=node of ${name}`)
  const signed = ['-CA', ca, '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2']
  openssl('x509', '-req', '-in', file('csr'), ...signed, '-out', cert)
  return { ca, cert, key }
}
