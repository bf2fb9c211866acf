// Line ends of CSV files that are partly of Windows and partly not.

/** The same text with `\n` at the end of every line; what quotes enclose is left as it is. */
export function evenLineEnds(bytes: Buffer, quote: number | undefined): Buffer {
  if (!bytes.includes(13)) return bytes
  const even = Buffer.allocUnsafeSlow(bytes.length)
  let isQuoted = false
  let at = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    if (byte === quote) isQuoted = !isQuoted
    if (byte !== 13 || isQuoted) even[at++] = byte
    else if (bytes[i + 1] !== 10) even[at++] = 10
  }
  return even.subarray(0, at)
}
