// What V8 is told in every worker.
//
// V8 marks the heap with the help of a thread per CPU, as if the others had nothing to do. A node
// has a worker for each CPU, so those threads take from other workers what they spare their own;
// and blocks of 64 MB have the heap marked once each. 8 GiB of them took 10 % less CPU in all
// processes without the threads. A task that makes hundreds of megabytes of lists took as long as
// before; 15 % longer without those for young objects, which therefore stay.

/** In front of what the program's own options say, which may say otherwise. */
export const workerFlags: readonly string[] = ['--no-concurrent-marking']

/** What is left is what the program was started with, as its processes may be in turn. */
export function withoutWorkerFlags(execArgv: readonly string[]): string[] {
  const isOurs = workerFlags.every((flag, i) => execArgv[i] === flag)
  return isOurs ? execArgv.slice(workerFlags.length) : [...execArgv]
}
