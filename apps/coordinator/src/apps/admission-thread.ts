// Runs in a thread of the admission process: admits one module and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { admitModule } from '@gleaner/sandbox/admission';

if (parentPort === null || !(workerData instanceof Uint8Array))
  throw new Error('start this as a worker thread');
parentPort.postMessage(admitModule(workerData));
