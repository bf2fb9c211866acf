/** What somebody meant who gave a task an option of actors, or an actor an option of tasks. */
const ofActors = new Map([
  ['maxRetries', "Actors have 'maxRestarts', and 'maxTaskRetries' for their calls."],
  ['numReturns', 'Give it for a method: { methods: { name: { numReturns: 2 } } }.'],
  ['retryExceptions', 'Give it for a method: { methods: { name: { retryExceptions: true } } }.'],
  ['signal', 'It is an option of a call: actor.method.options({ signal }).remote().'],
])

const ofTasks = new Map([
  ['maxTaskRetries', "Tasks have 'maxRetries'."],
  ['maxConcurrency', 'A task has its worker for itself; actors have it.'],
  ...['maxRestarts', 'lifetime', 'getIfExists', 'maxPendingCalls', 'concurrencyGroups'].map(
    (name) => [name, 'It is an option of actors: of ray.remote with a class.'] as const,
  ),
])

export function optionHint(option: string, of: string): string | undefined {
  return (of === 'a task' ? ofTasks : of === 'an actor' ? ofActors : undefined)?.get(option)
}
