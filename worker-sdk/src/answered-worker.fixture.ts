import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoordinatorClient } from './coordinator-client.js';
import { FileTaskStore } from './file-task-store.js';
import type { TaskStore } from './held-task.js';
import { LoopbackServer } from './loopback-server.fixture.js';
import { completePolicy } from './policy.js';
import { infrastructureResult } from './result-report.js';
import type { TaskRunner } from './task-runner.js';
import { Worker } from './worker.js';

export const NO_WORK = {
  reports: [],
  jobs: [],
  tasks: [],
  noWork: [{ code: 'no-jobs', count: null, message: 'no jobs today' }],
  outputsWanted: [],
  retryAfterMs: 1000,
  heartbeatMs: 1000,
};
export const HEARTBEAT_ANSWER = { tasks: [], outputsWanted: [], nextMs: 1000 };

/** A coordinator that has nothing to do, whatever it is asked. */
export const wellAgain: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(NO_WORK));
};

/** For tests: a worker that computes nothing, a server that answers it as the test says, and the directory where it keeps things. */
export class AnsweredWorker implements AsyncDisposable {
  answer: RequestListener = wellAgain;
  /** Nothing is ever computed here. */
  readonly runner: TaskRunner = {
    run: () => Promise.resolve(infrastructureResult('not expected to run')),
    retain: () => Promise.resolve(),
    allow: () => undefined,
    close: () => Promise.resolve(),
  };
  worker: Worker;
  readonly #client: CoordinatorClient;

  private constructor(
    readonly directory: string,
    private readonly server: LoopbackServer,
  ) {
    this.#client = new CoordinatorClient({ baseUrl: server.url, token: 'gln_x' });
    this.worker = this.workerWith(new FileTaskStore(directory));
  }

  static async open(): Promise<AnsweredWorker> {
    const server = await LoopbackServer.open((request, response) => answered.answer(request, response));
    const answered = new AnsweredWorker(await mkdtemp(join(tmpdir(), 'gleaner-worker-')), server);
    return answered;
  }

  /** Another one, for the same server. */
  workerWith(store: TaskStore): Worker {
    return new Worker(
      { client: this.#client, store, runner: this.runner, random: () => 0 },
      { policy: completePolicy({ cores: 1 }), runtimeVersions: ['gleaner-1'] },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.stop();
    await this.server[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}
