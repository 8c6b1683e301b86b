// Runs as a process: has the module that it is sent admitted, answers, and waits for its end. Whatever a module's bytes make
// of it, an engine that aborts included, happens to nobody else.
import { Worker } from 'node:worker_threads';

const [, , program = ''] = process.argv;

// A thread computes, so that this one notices at once that the coordinator is gone, even where that was killed.
process.once('disconnect', () => process.exit());
process.once('message', (bytes) => {
  const thread = new Worker(program, { workerData: bytes });
  thread.on('message', (admission: unknown) => process.send?.(admission));
});
