// The files that docs/data.md reads, small, in a folder and in a bucket.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { Dataset, type FilesystemOptions, fromItems } from '../../src/data/index.js'

const origins = ['JFK', 'SFO', 'ORD', 'LAX']

const flights = Array.from({ length: 120 }, (_, i) => ({
  origin: origins[i % 4],
  delay: BigInt(i % 7 === 0 ? -5 : i),
  distance: BigInt(100 + ((i * 37) % 2000)),
  date: new Date(Date.UTC(2024, i % 12, 1 + (i % 28), i % 24)),
}))

/** Writes the files below `folder`, and the flights into the bucket. */
export async function writeGuideFiles(
  folder: string,
  filesystem: FilesystemOptions,
): Promise<void> {
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
