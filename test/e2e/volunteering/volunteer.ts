import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { attachedHost } from '@gleaner/protocol';
import { RUNTIME_VERSION } from '@gleaner/sandbox';
import { ContentCache, HttpOriginSource, SourceSupply } from '@gleaner/swarm';
import { ChunkStore } from '@gleaner/swarm/store';
import {
  completePolicy,
  CoordinatorClient,
  FileTaskStore,
  SandboxedTaskRunner,
  SandboxPool,
  Worker,
  type TaskRunner,
} from '@gleaner/worker-sdk';
import { aPerson, clientWith, type TestApplication } from '../../support/index.js';

/** One core, little memory, one task ahead. */
const POLICY = completePolicy({ cores: 1, memoryMiB: 256, bufferMs: 1000, cacheBytes: 256 * 1024 * 1024 });

export interface Volunteer extends AsyncDisposable {
  readonly accountId: string;
  readonly worker: Worker;
}

export interface VolunteerOptions {
  readonly name: string;
  /** For its data. */
  readonly directory: string;
  /** Stands between the worker and the sandbox: how a volunteer cheats. */
  readonly tamper?: (honest: TaskRunner) => TaskRunner;
}

/** A volunteer on an account of its own, computing in this process with a sandbox of its own. */
export async function aVolunteer(
  application: TestApplication,
  options: VolunteerOptions,
): Promise<Volunteer> {
  const { name, tamper = (honest) => honest } = options;
  const person = await aPerson(application, { name, scopes: ['work'] });
  const facts = { name, kind: 'agent', platform: 'test', cores: 1, memoryMiB: 256, agentVersion: 'test' };
  const answer = await clientWith(application, person.token).post('/v1/hosts', { host: facts }).expect(201);
  const { secret } = attachedHost.parse(answer.body);
  const directory = join(options.directory, name);
  const cacheDirectory = join(directory, 'cache');
  const checkpointDirectory = join(directory, 'snapshots');
  await mkdir(checkpointDirectory, { recursive: true });
  const client = new CoordinatorClient({ baseUrl: new URL(application.url), token: secret });
  const source = new HttpOriginSource({
    baseUrl: client.baseUrl,
    credentials: () => client.credentials(),
    retryDelayMs: () => 50,
  });
  const cache = await ContentCache.open({ directory: cacheDirectory, quotaBytes: POLICY.cacheBytes });
  const chunkDirectory = join(directory, 'chunks');
  const chunks = await ChunkStore.open({ directory: chunkDirectory, quotaBytes: POLICY.cacheBytes });
  const readableDirectories = [cacheDirectory, chunkDirectory];
  const sandboxes = new SandboxPool({ readableDirectories, checkpointDirectory });
  const supply = new SourceSupply(source, chunks);
  const runtimeVersions = [RUNTIME_VERSION];
  const runner = tamper(
    new SandboxedTaskRunner(
      { cache, store: chunks, supply, source, sandboxes },
      { runtimeVersions, checkpointDirectory },
    ),
  );
  const worker = new Worker(
    { client, store: new FileTaskStore(directory), runner, chunks, random: Math.random },
    { policy: POLICY, runtimeVersions },
  );
  await worker.start();
  return { accountId: person.account.id, worker, [Symbol.asyncDispose]: () => worker.stop() };
}
