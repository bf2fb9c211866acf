// What workers print, in the driver's terminal: `(name pid=123) text`.

interface Output {
  readonly stream: 'stdout' | 'stderr'
  readonly name: string
  readonly pid: number
  readonly lines: readonly string[]
}

export function printOutput({ stream, name, pid, lines }: Output): void {
  const to = stream === 'stdout' ? process.stdout : process.stderr
  const prefix = to.isTTY ? `\u001b[36m(${name} pid=${pid})\u001b[0m` : `(${name} pid=${pid})`
  to.write(lines.map((line) => `${prefix} ${line}\n`).join(''))
}
