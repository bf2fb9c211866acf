// Who asks S3: the chain of the AWS SDK, and what says otherwise.
//
// A server that verifies no signature tells with which key, and for which region, it was asked.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import type http from 'node:http'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type FilesystemOptions, readCsv } from '../../src/data/index.js'
import { type FileServer, startFileServer } from './file-server.js'
import { rowsOf, temporaryFolder } from './read-in-process.js'

const folder = temporaryFolder('credentials')

interface Asked {
  /** Key id and region, of the signature. */
  readonly signed: string | undefined
  readonly token: string | undefined
}

let asked: Asked[] = []

function note({ headers }: http.IncomingMessage): void {
  const found = /Credential=(\w+)\/\d+\/([\w-]+)\/s3/.exec(headers.authorization ?? '')
  const token = headers['x-amz-security-token']
  asked.push({
    signed: found === null ? headers.authorization : `${found[1]} ${found[2]}`,
    token: typeof token === 'string' ? token : undefined,
  })
}

const role = '/latest/meta-data/iam/security-credentials/'

/** What a machine in the cloud answers to whoever asks for the credentials of its role. */
function answerAsMachine(url: string, response: http.ServerResponse): boolean {
  if (url === '/latest/api/token') response.end('a-token')
  else if (url === role) response.end('reader')
  else if (url === `${role}reader`) {
    const keys = { AccessKeyId: 'ROLE', SecretAccessKey: 's', Token: 'of-role' }
    response.end(JSON.stringify({ Code: 'Success', ...keys, Expiration: '2999-01-01T00:00:00Z' }))
  } else return false
  return true
}

let server: FileServer
const inherited = { ...process.env }

before(async () => {
  server = await startFileServer((request, response) => {
    if (answerAsMachine(request.url ?? '', response)) return true
    // The machine is asked for more than it has.
    if (request.url?.startsWith('/bucket/') === true) note(request)
    return false
  })
  server.files.set('/bucket/x.csv', Buffer.from('a\n1\n'))
})
after(() => {
  process.env = inherited
  server.close()
})

/** Reads a file with nothing in the environment but this, and gives who asked for it. */
async function whoAsks(
  env: Readonly<Record<string, string>>,
  filesystem: FilesystemOptions = {},
  bucket = 'bucket',
): Promise<Asked> {
  const kept = Object.entries(inherited).filter(([name]) => !name.startsWith('AWS_'))
  const none = path.join(folder, 'none')
  const files = { AWS_CONFIG_FILE: none, AWS_SHARED_CREDENTIALS_FILE: none }
  const machine = { AWS_EC2_METADATA_SERVICE_ENDPOINT: server.origin }
  process.env = { ...Object.fromEntries(kept), ...files, ...machine, ...env }
  asked = []
  assert.equal((await rowsOf(readCsv(`s3://${bucket}/x.csv`, { filesystem }))).length, 1)
  const [first] = asked
  assert.ok(first !== undefined && asked.every((each) => each.signed === first.signed))
  return first
}

const keysOf = (id: string) => ({ AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: 's' })

test('the environment says who asks, and where', async () => {
  const env = { AWS_SESSION_TOKEN: 't', AWS_REGION: 'eu-west-3', AWS_ENDPOINT_URL: server.origin }
  // Clients are kept by their options: each case has options of its own.
  const said = await whoAsks({ ...keysOf('ENV'), ...env }, { timeoutMs: 50_001 })
  assert.deepEqual(said, { signed: 'ENV eu-west-3', token: 't' })
})

test('a profile of the configuration files does, by name or by AWS_PROFILE', async () => {
  const config = path.join(folder, 'config')
  const credentials = path.join(folder, 'credentials')
  fs.writeFileSync(config, '[profile one]\nregion = us-west-1\n[profile two]\nregion = sa-east-1\n')
  const section = (id: string) => `aws_access_key_id = ${id}\naws_secret_access_key = s\n`
  fs.writeFileSync(credentials, `[one]\n${section('ONE')}[two]\n${section('TWO')}`)
  const env = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials }
  const endpoint = server.origin
  const named = await whoAsks(env, { endpoint, profile: 'one', timeoutMs: 50_002 })
  assert.deepEqual(named, { signed: 'ONE us-west-1', token: undefined })
  const chosen = await whoAsks({ ...env, AWS_PROFILE: 'two' }, { endpoint, timeoutMs: 50_003 })
  assert.deepEqual(chosen, { signed: 'TWO sa-east-1', token: undefined })
})

test('the role of the machine does, where nothing else says who asks', async () => {
  const said = await whoAsks({}, { endpoint: server.origin, timeoutMs: 50_004 })
  assert.deepEqual(said, { signed: 'ROLE us-east-1', token: 'of-role' })
})

test('options go before the environment, and anonymous requests are not signed', async () => {
  const env = { ...keysOf('ENV'), AWS_REGION: 'eu-west-3' }
  const endpoint = server.origin
  const own = {
    accessKeyId: 'OWN',
    secretAccessKey: 's',
    sessionToken: 'mine',
    region: 'us-west-2',
  }
  assert.deepEqual(await whoAsks(env, { endpoint, ...own }), {
    signed: 'OWN us-west-2',
    token: 'mine',
  })
  const nobody = { signed: undefined, token: undefined }
  assert.deepEqual(await whoAsks(env, { endpoint, anonymous: true }), nobody)
  assert.deepEqual(await whoAsks(env, { endpoint }, 'anonymous@bucket'), nobody)
})
