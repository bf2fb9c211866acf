// Large arrays of workers lie in huge pages.
//
// A function that fills an array of 64 MB has the kernel hand out 16 000 pages, one fault each:
// that takes two to five times as long as filling them. In pages of 2 MB there are 32. Kernels give
// these to whoever asks, and glibc asks for what `malloc` maps when it is told to.

const name = 'glibc.malloc.hugetlb'

/** What a worker is started with; `given` is what its environment says of glibc already. */
export function hugePageVariables(given: string | undefined): Readonly<Record<string, string>> {
  if (given === undefined || given === '') return { GLIBC_TUNABLES: `${name}=1` }
  return given.includes(`${name}=`) ? {} : { GLIBC_TUNABLES: `${given}:${name}=1` }
}
