import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gpuCount, typeOfModel } from './machine-gpus.js'

test('the type of a GPU is the first word of its model', () => {
  assert.equal(typeOfModel('NVIDIA A100-SXM4-40GB'), 'A100')
  assert.equal(typeOfModel('Tesla V100-PCIE-16GB'), 'V100')
  assert.equal(typeOfModel('NVIDIA Tesla T4'), 'T4')
  assert.equal(typeOfModel('NVIDIA L4'), 'L4')
  assert.equal(typeOfModel(''), undefined)
})

test('CUDA_VISIBLE_DEVICES says how many GPUs there are, and more are refused', () => {
  const before = process.env['CUDA_VISIBLE_DEVICES']
  try {
    process.env['CUDA_VISIBLE_DEVICES'] = '3, 5'
    assert.equal(gpuCount(undefined), 2)
    assert.equal(gpuCount(1), 1)
    assert.throws(() => gpuCount(3), /numGpus is 3, but CUDA_VISIBLE_DEVICES shows 2 \('3,5'\)/)
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, 'CUDA_VISIBLE_DEVICES')
    else process.env['CUDA_VISIBLE_DEVICES'] = before
  }
})
