import { RUNTIME_VERSION } from '@gleaner/sandbox';
import { CoordinatorClient } from '../coordinator-client.js';
import { Worker } from '../worker.js';
import { TAB_MEMORY_MIB } from './attach-browser.js';
import { BrowserTaskRunner, type Frame } from './browser-task-runner.js';
import { MemoryTaskStore } from './memory-task-store.js';
import { TabContent } from './tab-content.js';

const MIB = 1024 * 1024;

export interface BrowserWorkerOptions {
  /** URL of the coordinator. */
  readonly baseUrl: URL;
  /** The host's own token, from `attachBrowser`. */
  readonly token: string;
  /** Web Workers that compute at the same time. */
  readonly cores: number;
  /** Pictures of the tasks that run, at most ten a second each. */
  readonly onFrame: (frame: Frame) => void;
}

/** A volunteer worker for a browser tab; `worker.allow(…)` sets how much of the time it computes. */
export function createBrowserWorker({ baseUrl, token, cores, onFrame }: BrowserWorkerOptions): Worker {
  const client = new CoordinatorClient({ baseUrl, token });
  const { random } = Math;
  const content = new TabContent({ baseUrl, credentials: () => client.credentials(), random });
  return new Worker(
    { client, store: new MemoryTaskStore(), runner: new BrowserTaskRunner(content, onFrame), random },
    {
      // A tab may close at any moment, so it holds no work ahead and takes no snapshots.
      policy: { cores, memoryMiB: TAB_MEMORY_MIB, bufferMs: 0, cacheBytes: 256 * MIB, snapshotEveryMs: 0 },
      runtimeVersions: [RUNTIME_VERSION],
    },
  );
}
