import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { withCluster } from '../../src/testing/index.js'
import { inCluster, rejection } from './in-cluster.js'

const look = () => ({
  visible: process.env['CUDA_VISIBLE_DEVICES'],
  ids: ray.getGpuIds(),
  accelerators: ray.getRuntimeContext().acceleratorIds,
  pid: process.pid,
})

class Looker {
  look() {
    return look()
  }
}

inCluster(
  'GPUs',
  { numCpus: 2, numGpus: 3, resources: { 'accelerator_type:A100': 1 } },
  {
    async 'a task with whole GPUs sees as many, and libraries see the same'() {
      const seen = await ray.get(ray.remote({ numGpus: 2 }, look).remote())
      assert.deepEqual(seen.ids, [0, 1])
      assert.equal(seen.visible, '0,1')
      assert.deepEqual(seen.accelerators, { GPU: ['0', '1'] })
      assert.deepEqual(ray.getGpuIds(), [])
    },

    async 'actors that have a part of a GPU share one, and whole ones are distinct'() {
      const Half = ray.remote({ numGpus: 0.5 }, Looker)
      const Whole = ray.remote({ numGpus: 1 }, Looker)
      const handles = [Half.remote(), Half.remote(), Whole.remote(), Whole.remote()]
      const seen = await ray.get(handles.map((handle) => handle.look.remote()))
      assert.deepEqual(seen[0]?.ids, seen[1]?.ids)
      const all = new Set(seen.map(({ visible }) => visible))
      assert.equal(all.size, 3)
      assert.equal(new Set(seen.map(({ pid }) => pid)).size, 4)
      for (const handle of handles) ray.kill(handle)
    },

    async 'tasks with GPUs never share a worker process with tasks without'() {
      const pidsOf = async (options: ray.TaskOptions): Promise<Set<number>> => {
        const task = ray.remote(options, look)
        const seen = await ray.get(Array.from({ length: 6 }, () => task.remote()))
        return new Set(seen.map(({ pid }) => pid))
      }
      const without = await pidsOf({})
      const withGpu = await pidsOf({ numGpus: 1, numCpus: 0 })
      const again = await pidsOf({})
      for (const pid of withGpu) assert.ok(!without.has(pid) && !again.has(pid))
    },

    async 'a task without GPUs sees none'() {
      const seen = await ray.get(ray.remote(look).remote())
      assert.deepEqual(seen.ids, [])
      assert.equal(seen.visible, '')
    },

    async 'a type of GPU is a resource of the node, and another type is refused'() {
      const task = ray.remote({ acceleratorType: 'A100' }, () => 1)
      assert.equal(await ray.get(task.remote()), 1)
      const error = await rejection(ray.get(task.options({ acceleratorType: 'H100' }).remote()))
      assert.ok(error instanceof ray.TaskUnschedulableError)
      assert.match(error.message, /0.001 accelerator_type:H100/)
    },
  },
)

test('GPUs are called what CUDA_VISIBLE_DEVICES of the driver calls them', async () => {
  process.env['CUDA_VISIBLE_DEVICES'] = '4,GPU-7f2a'
  try {
    await withCluster({ numCpus: 1 }, async () => {
      assert.equal((await ray.clusterResources())['GPU'], 2)
      const seen = await ray.get(ray.remote({ numGpus: 2 }, look).remote())
      assert.deepEqual(seen.ids, [4, 'GPU-7f2a'])
      assert.equal(seen.visible, '4,GPU-7f2a')
    })
    await assert.rejects(ray.init({ numGpus: 3 }), /CUDA_VISIBLE_DEVICES shows 2/)
  } finally {
    Reflect.deleteProperty(process.env, 'CUDA_VISIBLE_DEVICES')
  }
})
