import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restoreCertificates, withoutCertificates } from './extra-certificates.js'

test('a node without TLS hands on the certificates that it does not read', () => {
  const environment = { HOME: '/home/a', NODE_EXTRA_CA_CERTS: '/etc/ca.pem' }
  const started = withoutCertificates(environment)
  assert.equal(started['NODE_EXTRA_CA_CERTS'], undefined)
  restoreCertificates(started)
  assert.deepEqual(started, environment)
})

test('without such a variable nothing changes', () => {
  const started = withoutCertificates({ HOME: '/home/a' })
  restoreCertificates(started)
  assert.deepEqual(started, { HOME: '/home/a' })
})
