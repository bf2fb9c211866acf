import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hugePageVariables } from './huge-pages.js'

test('huge pages are asked for beside what the environment says of glibc, unless it says so', () => {
  const asked = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' }
  assert.deepEqual(hugePageVariables(undefined), asked)
  assert.deepEqual(hugePageVariables(''), asked)
  assert.deepEqual(hugePageVariables('glibc.malloc.check=3'), {
    GLIBC_TUNABLES: 'glibc.malloc.check=3:glibc.malloc.hugetlb=1',
  })
  assert.deepEqual(hugePageVariables('glibc.malloc.hugetlb=0'), {})
})
