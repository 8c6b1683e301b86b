import { RUNTIME_VERSION } from '@gleaner/sandbox';
import { CoordinatorClient } from '../coordinator-client.js';
import type { WorkerPolicy } from '../policy.js';
import type { VolunteerWorker, WorkerIdentity } from '../volunteer-worker.js';
import { Worker } from '../worker.js';
import { TAB_MEMORY_MIB } from './attach-browser.js';
import { BrowserTaskRunner, type Frame } from './browser-task-runner.js';
import { MemoryTaskStore } from './memory-task-store.js';
import { TabContent } from './tab-content.js';

/** What a tab offers; it has no disk, so it keeps neither inputs nor snapshots. */
export type TabPolicy = Pick<WorkerPolicy, 'cores' | 'memoryMiB' | 'bufferMs'>;

/** One core that nobody misses; a tab may close at any moment, so it holds no work ahead. */
const DEFAULT_POLICY: TabPolicy = { cores: 1, memoryMiB: TAB_MEMORY_MIB, bufferMs: 0 };

export interface CreateWorkerOptions extends WorkerIdentity {
  /** Web Workers that compute at the same time, memory of each task, work ahead; 1, 512 MiB and none where left out. */
  readonly policy?: Partial<TabPolicy>;
  /** Pictures of the tasks that run, at most ten a second each. */
  readonly onFrame?: (frame: Frame) => void;
}

/**
 * A volunteer worker for a browser tab: `const worker = createWorker({ coordinator, credentials, policy }); await
 * worker.start(); … await worker.stop();` Nothing is asked before it is started.
 *
 * @throws {TypeError} when the coordinator's URL is none
 */
export function createWorker(options: CreateWorkerOptions): VolunteerWorker {
  const baseUrl = new URL(options.coordinator);
  const client = new CoordinatorClient({ baseUrl, token: options.credentials.token });
  const { random } = Math;
  const content = new TabContent({ baseUrl, credentials: () => client.credentials(), random });
  const runner = new BrowserTaskRunner(content, (frame) => options.onFrame?.(frame));
  const policy = { ...DEFAULT_POLICY, ...options.policy, cacheBytes: 0, snapshotEveryMs: 0, keepAfterMs: 0 };
  return new Worker(
    { client, store: new MemoryTaskStore(), runner, random },
    { policy, runtimeVersions: [RUNTIME_VERSION] },
  );
}
