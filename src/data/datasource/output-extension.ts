import type { OutputFormat } from '../logical/write-step.js'

/** What is behind the dot of a file of the format. */
export function extensionOf(format: OutputFormat): string {
  if (format.kind === 'parquet') return 'parquet'
  const packed = { none: '', gzip: '.gz', zstd: '.zst' }[format.compression]
  return `${format.kind}${packed}`
}
