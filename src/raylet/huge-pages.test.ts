import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hugePageVariables } from './huge-pages.js'

test('huge pages are asked for beside what else glibc is told, unless it is told of them', () => {
  const asked = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' }
  assert.deepEqual(hugePageVariables(undefined), asked)
  assert.deepEqual(hugePageVariables(''), asked)
  assert.deepEqual(hugePageVariables('glibc.malloc.check=3'), {
    GLIBC_TUNABLES: 'glibc.malloc.check=3:glibc.malloc.hugetlb=1',
  })
  assert.deepEqual(hugePageVariables('glibc.malloc.hugetlb=0'), {})
})
