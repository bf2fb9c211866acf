// The program of docs/data.md, and the files that it reads: small, in a folder and in a bucket.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { Dataset, type FilesystemOptions, fromItems } from '../../src/data/index.js'
import { startS3 } from '../contract/s3-server.js'
import { type PageProgram, programOf } from './page-program.js'

const origins = ['JFK', 'SFO', 'ORD', 'LAX']

const flights = Array.from({ length: 120 }, (_, i) => ({
  origin: origins[i % 4],
  delay: BigInt(i % 7 === 0 ? -5 : i),
  distance: BigInt(100 + ((i * 37) % 2000)),
  date: new Date(Date.UTC(2024, i % 12, 1 + (i % 28), i % 24)),
}))

export interface Guide {
  readonly page: PageProgram
  /** The program, which runs in the folder of the files. */
  readonly source: string
  /** The program as a file beside which the packages are that it uses. */
  readonly file: URL
  /** How it finds the bucket without an option. */
  readonly env: Readonly<Record<string, string>>
}

/** Calls `run` with the program of the guide, while its files and its bucket are there. */
export async function withGuide(root: string, run: (guide: Guide) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'typeray-guide-'))
  const server = await startS3(path.join(folder, 'objects'))
  try {
    await writeFiles(folder, server.filesystem)
    const page = await programOf('docs/data.md', root)
    const begin = `process.chdir('${folder}')\n`
    const source = page.source.replace(/^const __run/m, (line) => begin + line)
    const file = path.join(folder, 'guide.mjs')
    writeFileSync(file, source)
    mkdirSync(path.join(folder, 'node_modules'))
    symlinkSync(root, path.join(folder, 'node_modules', 'typeray'))
    const arrow = path.join('node_modules', 'apache-arrow')
    symlinkSync(realpathSync(path.join(root, arrow)), path.join(folder, arrow))
    const env = environmentOf(server.filesystem)
    await run({ page, source, file: pathToFileURL(file), env })
  } finally {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function environmentOf(filesystem: FilesystemOptions): Record<string, string> {
  const { endpoint = '', region = '', accessKeyId = '', secretAccessKey = '' } = filesystem
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  }
}

/** Writes the files below `folder`, and the flights into the bucket. */
async function writeFiles(folder: string, filesystem: FilesystemOptions): Promise<void> {
  const write = (name: string, content: string | Buffer): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), content)
  }
  write('trips/1.csv', 'id,distance,fare\n1,2.5,9\n2,0.5,\n')
  write('trips/2.csv.gz', gzipSync('id,distance,fare\n3,7.25,30\n'))
  write('trips/3.csv', 'id,distance,fare\n4,1,5.5\n')
  write('events.jsonl', '{"user":"ada","tags":["a","b"]}\n{"user":"bob","tags":[]}\n')
  write('books/emma.txt', 'Emma Woodhouse,\n\nhandsome, clever, and rich\n')
  write('scans/1.bin', Buffer.from([1, 2, 3]))
  for (const [label, red] of Object.entries({ cat: 200, dog: 90 })) {
    for (const size of [8, 12]) {
      const create = { width: size, height: 10, channels: 3, background: { r: red, g: 5, b: 5 } }
      const png = await sharp({ create: { ...create, channels: 3 } })
        .png()
        .toBuffer()
      write(`photos/${label}/${size}.png`, png)
    }
  }
  const all = fromItems(flights, { overrideNumBlocks: 3 })
  const here = new Dataset(new DatasetSession(new InProcessRunner()), all.plan)
  await here.writeParquet(path.join(folder, 'flights'))
  await here.writeParquet('s3://bucket/flights/', { filesystem })
}
