// A dataset is lazy: steps are planned, fused into one task per block, and run when the result is
// asked for.
import { fromItems } from 'typeray/data'

const cities = ['Aachen', 'Bremen', 'Celle', 'Dresden']
const trips = Array.from({ length: 10_000 }, (_, i) => ({
  city: cities[i % 4] ?? '',
  km: (i * 37) % 1000,
}))

const priced = fromItems(trips)
  .filter((trip) => trip.km > 0)
  .mapBatches(({ city, km }) => ({ city, km, price: Float64Array.from(km, (d) => 3 + 0.25 * d) }))
  .map((trip) => ({ ...trip, isLong: trip.km >= 500 }))

await priced.show(4)
console.log(
  `${await priced.count()} trips, ${await priced.filter((t) => t.isLong).count()} of them long`,
)

let income = 0
for await (const { price } of priced.iterBatches({ batchSize: 1024 })) {
  for (const value of price) income += value
}
console.log(`income ${income}`)
