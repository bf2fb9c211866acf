import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endedJobSettingsMax } from '../base/limits.js'
import { JobSettings } from './job-settings.js'

const nobody = (): boolean => false

test('knows what each part of a job has said', () => {
  const jobs = new JobSettings()
  jobs.set('1', { environment: { execArgv: [], env: { A: '1' }, cwd: '/' } })
  jobs.set('1', { namespace: 'n' })
  assert.equal(jobs.environmentOf('1')?.env['A'], '1')
  assert.equal(jobs.namespaceOf('1'), 'n')
  assert.equal(jobs.namespaceOf('2'), undefined)
})

test('forgets the oldest of the jobs that have ended, and none that has a worker', () => {
  const jobs = new JobSettings()
  const many = Array.from({ length: endedJobSettingsMax + 50 }, (_, i) => String(i))
  for (const id of many) {
    jobs.set(id, { namespace: id })
    jobs.ended(id, (each) => each === '0')
  }
  assert.equal(jobs.size, endedJobSettingsMax)
  assert.equal(jobs.namespaceOf('0'), '0')
  assert.equal(jobs.namespaceOf('1'), undefined)
  assert.equal(jobs.namespaceOf(many.at(-1) ?? ''), many.at(-1))
  jobs.set('runs', { namespace: 'x' })
  for (let i = 0; i < 2 * endedJobSettingsMax; i++) jobs.ended(`more ${i}`, nobody)
  assert.equal(jobs.namespaceOf('runs'), 'x')
})
