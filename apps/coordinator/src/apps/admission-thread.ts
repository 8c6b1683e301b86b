// Runs in a worker thread: admits one module and ends. Nothing that a module's bytes can cause reaches the main thread.
import { parentPort, workerData } from 'node:worker_threads';
import { admitModule } from '@gleaner/sandbox/admission';

if (parentPort === null || !(workerData instanceof Uint8Array))
  throw new Error('start this as a worker thread');
parentPort.postMessage(admitModule(workerData));
