// Calls of an actor that wait on behalf of their caller end with it.
//
// As in Ray a call goes on when its caller dies: what it does may matter to others. A call that
// only hands something over says that this one does not.

import { currentTask, type TaskContext } from './task-context.js'

const watched = new WeakSet<TaskContext>()

/** The signal of the call that runs now aborts also when the process of its caller is gone. */
export function abortWithCaller(): void {
  const call = currentTask()
  if (call !== null) watched.add(call)
}

export function endsWithCaller(call: TaskContext): boolean {
  return watched.has(call)
}
