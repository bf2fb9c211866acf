// What the end of a Parquet file says of it: how its rows are divided, and of what columns they
// are.
//
// The engine knows that too, but takes twenty times as long: it makes objects of everything, and of
// these rows of a table. Here the structures of Thrift's compact protocol are passed over but for
// the few numbers that plans need. Whatever is not as expected is left to the engine, which says
// what is wrong with it or reads it all the same (docs/decisions/0075-footers-passed-over.md).

import fs from 'node:fs'

export interface RowGroup {
  readonly rows: number
  /** Decompressed. */
  readonly bytes: number
}

export interface ParquetFooter {
  readonly groups: readonly RowGroup[]
  /** The columns as the file has them written down: the same for files of the same columns. */
  readonly schema: string
}

/** Of the end of a file so much is read at first: most footers fit. */
const tailBytes = 32 * 1024
const magic = 0x31524150

/** The footers of some files; undefined where one of them is odd in any way. */
export function readFooters(paths: readonly string[]): readonly ParquetFooter[] | undefined {
  const tail = Buffer.allocUnsafe(tailBytes)
  const footers: ParquetFooter[] = []
  try {
    for (const path of paths) footers.push(parseFooter(footerBytes(path, tail)))
  } catch {
    return undefined
  }
  return footers
}

function footerBytes(path: string, tail: Buffer): Buffer {
  const descriptor = fs.openSync(path, 'r')
  try {
    const { size } = fs.fstatSync(descriptor)
    const end = readEnd(descriptor, size, tail.subarray(0, Math.min(size, tail.length)))
    if (end.readUInt32LE(end.length - 4) !== magic) throw new OddFooterError()
    const length = end.readUInt32LE(end.length - 8) + 8
    if (length > size) throw new OddFooterError()
    const whole = length <= end.length ? end : readEnd(descriptor, size, Buffer.allocUnsafe(length))
    return whole.subarray(whole.length - length, whole.length - 8)
  } finally {
    fs.closeSync(descriptor)
  }
}

/** Fills a buffer with the last bytes of a file. */
function readEnd(descriptor: number, size: number, into: Buffer): Buffer {
  let read = 0
  while (read < into.length) {
    const at = size - into.length + read
    const count = fs.readSync(descriptor, into, read, into.length - read, at)
    if (count === 0) throw new OddFooterError()
    read += count
  }
  return into
}

class OddFooterError extends Error {
  override name = 'OddFooterError'
}

/** Fields of a file's description, and of a row group's. */
const field = { schema: 2, rows: 3, rowGroups: 4, encryption: 8 } as const
const groupField = { bytes: 2, rows: 3 } as const

function parseFooter(bytes: Buffer): ParquetFooter {
  const reader = new ThriftReader(bytes)
  let schema: string | undefined
  let rows = -1
  let groups: readonly RowGroup[] = []
  reader.fields((id, type) => {
    const from = reader.at
    if (id === field.encryption) throw new OddFooterError()
    if (id === field.rows) rows = reader.integer()
    else if (id === field.rowGroups) groups = reader.list(() => rowGroup(reader))
    else reader.skip(type)
    if (id === field.schema) schema = bytes.toString('latin1', from, reader.at)
  })
  const sum = groups.reduce((all, group) => all + group.rows, 0)
  if (schema === undefined || sum !== rows) throw new OddFooterError()
  return { groups, schema }
}

function rowGroup(reader: ThriftReader): RowGroup {
  let rows = -1
  let bytes = 0
  reader.fields((id, type) => {
    if (id === groupField.rows) rows = reader.integer()
    else if (id === groupField.bytes) bytes = reader.integer()
    else reader.skip(type)
  })
  if (rows < 0 || (rows > 0 && bytes <= 0)) throw new OddFooterError()
  return { rows, bytes }
}

/** Types of Thrift's compact protocol. */
const thrift = {
  true: 1,
  false: 2,
  byte: 3,
  integer16: 4,
  integer64: 6,
  double: 7,
  bytes: 8,
  list: 9,
  set: 10,
  struct: 12,
} as const

class ThriftReader {
  readonly #bytes: Buffer
  at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Calls `read` with each field of a structure, whose value it must read or skip. */
  fields(read: (id: number, type: number) => void): void {
    let id = 0
    for (;;) {
      const header = this.#byte()
      if (header === 0) return
      const step = header >> 4
      id = step === 0 ? this.integer() : id + step
      read(id, header & 15)
    }
  }

  list<T>(read: () => T): T[] {
    const { count } = this.#listHeader()
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read())
    return items
  }

  /** A whole number: in zigzag, seven bits of it in each byte. */
  integer(): number {
    const value = this.#unsigned()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  skip(type: number): void {
    if (type === thrift.true || type === thrift.false) return
    if (type === thrift.byte) this.at += 1
    else if (type >= thrift.integer16 && type <= thrift.integer64) this.#skipInteger()
    else if (type === thrift.double) this.at += 8
    else if (type === thrift.bytes) this.#skipBytes()
    else if (type === thrift.list || type === thrift.set) this.#skipList()
    else if (type === thrift.struct) this.#skipStruct()
    else throw new OddFooterError()
  }

  #skipBytes(): void {
    const length = this.#unsigned()
    this.at += length
  }

  #skipStruct(): void {
    for (;;) {
      const header = this.#byte()
      if (header === 0) return
      if (header >> 4 === 0) this.#skipInteger()
      this.skip(header & 15)
    }
  }

  #skipList(): void {
    const { count, type } = this.#listHeader()
    // Items that are true or false take a byte each, fields of that kind none.
    if (type === thrift.true || type === thrift.false) this.at += count
    else for (let i = 0; i < count; i++) this.skip(type)
  }

  #listHeader(): { readonly count: number; readonly type: number } {
    const header = this.#byte()
    const count = header >> 4
    return { count: count === 15 ? this.#unsigned() : count, type: header & 15 }
  }

  #skipInteger(): void {
    while (this.#byte() >= 128);
  }

  #unsigned(): number {
    let value = 0
    let weight = 1
    for (;;) {
      const byte = this.#byte()
      value += (byte & 127) * weight
      if (byte < 128) return value
      weight *= 128
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.at++]
    if (byte === undefined) throw new OddFooterError()
    return byte
  }
}
