import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pageBytes } from '../base/limits.js'
import { Arena } from './arena.js'

/** The same policy over an array of pages: slow, and obviously right. */
class SlowArena {
  readonly pages: ('fresh' | 'free' | 'used')[]

  constructor(pages: number) {
    this.pages = Array.from({ length: pages }, () => 'fresh')
  }

  /** Sizes of the runs of free pages, and the run that fresh memory would extend. */
  warmRuns(): number[] {
    const runs: number[] = []
    let run = 0
    for (const page of [...this.pages, 'end']) {
      if (page === 'free') run++
      else if (run > 0) {
        runs.push(run)
        run = 0
      }
    }
    return runs
  }

  set(start: number, count: number, state: 'free' | 'used'): void {
    for (let i = start; i < start + count; i++) {
      assert.equal(this.pages[i] === 'used', state === 'free', `page ${i} changes hands`)
      this.pages[i] = state
    }
  }

  runBytesAt(start: number): number {
    let end = start
    while (this.pages[end] === 'free') end++
    return end - start
  }

  warmAt(start: number, count: number): number {
    return this.pages.slice(start, start + count).filter((page) => page !== 'fresh').length
  }

  largest(): number {
    const fresh = this.pages.filter((page) => page === 'fresh').length
    let tail = this.pages.length - fresh
    while (tail > 0 && this.pages[tail - 1] === 'free') tail--
    return Math.max(...this.warmRuns(), this.pages.length - tail)
  }
}

test('hands out page-aligned extents and says which bytes are warm', () => {
  const arena = new Arena(10 * pageBytes)
  assert.deepEqual(arena.allocate(5000), { offset: 0, sizeBytes: 5000, warmBytes: 0 })
  assert.deepEqual(arena.allocate(1), { offset: 2 * pageBytes, sizeBytes: 1, warmBytes: 0 })
  arena.release(0)
  assert.deepEqual(arena.allocate(4096), { offset: 0, sizeBytes: 4096, warmBytes: 4096 })
  assert.deepEqual(arena.allocate(0), { offset: pageBytes, sizeBytes: 0, warmBytes: 0 })
})

test('extends a free extent at the end of the warm prefix into fresh memory', () => {
  const arena = new Arena(10 * pageBytes)
  arena.allocate(2 * pageBytes)
  arena.release(0)
  assert.deepEqual(arena.allocate(6 * pageBytes), {
    offset: 0,
    sizeBytes: 6 * pageBytes,
    warmBytes: 2 * pageBytes,
  })
})

test('prefers the smallest warm extent that fits', () => {
  const arena = new Arena(100 * pageBytes)
  const offsets = [5, 1, 3, 1, 4, 1].map((pages) => arena.allocate(pages * pageBytes)!.offset)
  for (const i of [0, 2, 4]) arena.release(offsets[i]!)
  assert.equal(arena.allocate(3 * pageBytes)!.offset, offsets[2])
  assert.equal(arena.allocate(3 * pageBytes)!.offset, offsets[4])
  arena.validate()
})

test('refuses to release what is not in use', () => {
  const arena = new Arena(4 * pageBytes)
  arena.allocate(1)
  arena.release(0)
  assert.throws(() => arena.release(0), /extent 0 is in use/)
  assert.throws(() => arena.release(pageBytes), /is in use/)
})

test('agrees with a slow model on any sequence of allocations and releases', () => {
  const step = fc.oneof(
    fc.record({ pages: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ release: fc.nat() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const arena = new Arena(64 * pageBytes)
      const model = new SlowArena(64)
      const used: { start: number; pages: number }[] = []
      for (const one of steps) {
        if ('release' in one) {
          const [gone] = used.splice(one.release % Math.max(1, used.length), 1)
          if (gone === undefined) continue
          arena.release(gone.start * pageBytes)
          model.set(gone.start, gone.pages, 'free')
        } else checkAllocation(arena, model, used, one.pages)
        arena.validate()
        assert.equal(arena.stats().largestFreeBytes, model.largest() * pageBytes)
        const count = used.reduce((sum, extent) => sum + extent.pages, 0)
        assert.equal(arena.usedBytes, count * pageBytes)
      }
    }),
    { numRuns: 300 },
  )
})

function checkAllocation(
  arena: Arena,
  model: SlowArena,
  used: { start: number; pages: number }[],
  pages: number,
): void {
  const fits = model.largest() >= pages
  const best = Math.min(...model.warmRuns().filter((run) => run >= pages))
  const extent = arena.allocate(pages * pageBytes)
  assert.equal(extent !== undefined, fits)
  if (extent === undefined) return
  const start = extent.offset / pageBytes
  if (best !== Infinity) assert.equal(model.runBytesAt(start), best, 'best fit')
  assert.equal(extent.warmBytes, model.warmAt(start, pages) * pageBytes)
  model.set(start, pages, 'used')
  used.push({ start, pages })
}

test('stays fast with 100 000 extents', () => {
  const arena = new Arena(2 ** 40)
  let seed = 1
  const next = (): number => (seed = (seed * 48271) % 0x7fffffff)
  const offsets: number[] = []
  for (let i = 0; i < 100_000; i++) offsets.push(arena.allocate((next() % 1000) * 4096)!.offset)
  for (let i = 0; i < 100_000; i += 2) arena.release(offsets[i]!)
  assert.ok(arena.stats().freeExtents > 45_000)
  const started = process.hrtime.bigint()
  for (let i = 0; i < 50_000; i++) arena.allocate((next() % 1000) * 4096)
  const perAllocationUs = Number(process.hrtime.bigint() - started) / 50_000 / 1000
  arena.validate()
  // About 0.5 us here; the bound only catches a search that is linear in the extents.
  assert.ok(perAllocationUs < 50, `${perAllocationUs} us`)
})
