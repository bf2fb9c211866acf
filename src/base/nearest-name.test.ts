import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean, nearestName } from './nearest-name.js'

const names = ['numCpus', 'numGpus', 'maxRetries', 'name']

test('another spelling and a slip of two letters find the name that was meant', () => {
  assert.equal(nearestName('num_cpus', names), 'numCpus')
  assert.equal(nearestName('NUM-GPUS', names), 'numGpus')
  assert.equal(nearestName('maxRetrys', names), 'maxRetries')
  assert.equal(nearestName('nam', names), 'name')
})

test('what resembles nothing finds nothing', () => {
  assert.equal(nearestName('lifetime', names), undefined)
  assert.equal(didYouMean('x', names), '')
  assert.equal(didYouMean('num_cpus', names), " Did you mean 'numCpus'?")
})
