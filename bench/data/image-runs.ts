// Typeray's side of the workload that decodes images.

import path from 'node:path'
import { readImages, Tensor } from 'typeray/data'
import type { Run } from './workload.js'

const side = 224

/** The middle of an RGB image, mirrored. */
function cropAndFlip({ data, shape }: Tensor<Uint8Array>): Tensor<Uint8Array> {
  const [height = 0, width = 0] = shape
  const top = (height - side) >> 1
  const left = (width - side) >> 1
  const cropped = new Uint8Array(side * side * 3)
  let to = 0
  for (let y = 0; y < side; y++) {
    let from = ((top + y) * width + left + side - 1) * 3
    for (let x = 0; x < side; x++, from -= 3, to += 3) {
      cropped[to] = data[from] ?? 0
      cropped[to + 1] = data[from + 1] ?? 0
      cropped[to + 2] = data[from + 2] ?? 0
    }
  }
  return new Tensor(cropped, [side, side, 3])
}

const images: Run = async (folder) => {
  const cropped = readImages(path.join(folder, 'images'), { mode: 'RGB' }).map(({ image }) => {
    return { image: cropAndFlip(image) }
  })
  let bytes = 0
  for await (const batch of cropped.iterBatches({ batchSize: 32 })) {
    for (const image of batch.image as Iterable<Tensor>) bytes += image.data.length
  }
  return bytes
}

export const imageRuns: Readonly<Record<string, Run>> = { images }
