// Keeps the node of one machine from reading certificates that it has no use for.
//
// Node 20 parses all of its own root certificates, and those that NODE_EXTRA_CA_CERTS names, before
// it runs anything: 40 ms of CPU. A node without a cluster speaks to nobody over TLS; its workers
// may, and get the variable as it was.

const variable = 'NODE_EXTRA_CA_CERTS'
const keeper = 'TYPERAY_EXTRA_CA_CERTS'

/** The environment in which a node without TLS is started. */
export function withoutCertificates(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { [variable]: file, ...rest } = environment
  return file === undefined ? rest : { ...rest, [keeper]: file }
}

/** Lets the processes that this one starts find the variable as it was. */
export function restoreCertificates(environment: NodeJS.ProcessEnv): void {
  const file = environment[keeper]
  if (file === undefined) return
  environment[variable] = file
  delete environment[keeper]
}
