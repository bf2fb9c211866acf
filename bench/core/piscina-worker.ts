// The functions that piscina's threads run. Piscina hands over one argument.
export function noOp(): string {
  return 'ok'
}

export function incremented(number: number): number {
  return number + 1
}

export function sumWith({ number, options }: { number: number; options: { a: number } }): number {
  return number + options.a
}
