// Metrics as text, and over HTTP for Prometheus to fetch.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { reporter } from './reporter.js'

/** Where metrics are served. */
export interface ServeMetricsOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number
}

/** An HTTP server of metrics. It does not keep the program running. */
export interface MetricsServer extends AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number
  /** What Prometheus is told to fetch. */
  readonly url: string
  /** Stops listening. */
  close(): Promise<void>
}

const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * The metrics of all processes of the session, in the text format of Prometheus. Other processes
 * report every half second, so theirs may be that old.
 *
 * @example
 * new Counter('jobs').inc()
 * console.log(await metricsText())
 */
export async function metricsText(): Promise<string> {
  reporter.report()
  return reporter.aggregator().text.remote().get()
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (request.method !== 'GET' || (pathname !== '/metrics' && pathname !== '/')) {
    response.writeHead(404).end('GET /metrics\n')
    return
  }
  try {
    const text = await metricsText()
    response.writeHead(200, { 'content-type': contentType }).end(text)
  } catch (error) {
    response.writeHead(503).end(`${String(error)}\n`)
  }
}

/**
 * Serves `metricsText()` at `http://127.0.0.1:<port>/metrics`. Only this machine can reach it.
 *
 * @example
 * const server = await serveMetrics({ port: 9464 })
 * console.log(`Prometheus may fetch ${server.url}`)
 */
export async function serveMetrics({ port = 0 }: ServeMetricsOptions = {}): Promise<MetricsServer> {
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  server.unref()
  const { port: found } = server.address() as AddressInfo
  const close = (): Promise<void> => closed(server)
  const url = `http://127.0.0.1:${found}/metrics`
  return { port: found, url, close, [Symbol.asyncDispose]: close }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
