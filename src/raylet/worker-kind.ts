// Which workers may run which tasks.

export interface WorkerKind {
  readonly jobId: string
  readonly environment: string
  /** Processes that may have initialised a GPU are not used for tasks without one. */
  readonly usesGpu: boolean
}

export function workerKindKey(kind: WorkerKind): string {
  return `${kind.jobId}|${kind.environment}|${kind.usesGpu ? 'gpu' : ''}`
}
