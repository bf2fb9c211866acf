// How long a function takes, from its results.
//
// The first run of a function in a process compiles it and loads what it needs: many times what it
// takes later, so it counts only until there is another. The next runs are averaged evenly, later
// ones with less and less memory of the past.

const evenSamples = 8

export function nextAverage(average: number, samples: number, value: number): number {
  if (samples < 2) return value
  return average + (value - average) / Math.min(samples, evenSamples)
}
