/**
 * Who stands still for an object that has to come from another node: the smaller, the sooner. A
 * `hint` is for a task that waits for its turn.
 */
export const pullUrgency = { get: 0, wait: 1, argument: 2, hint: 3 } as const
