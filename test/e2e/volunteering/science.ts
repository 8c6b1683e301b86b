import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { appVersion, blob, job as jobSchema, type Job, type JobSpecInput } from '@gleaner/protocol';
import { aProject, operatorOf, type TestApplication, type TestPerson } from '../../support/index.js';

const POLL_MS = 100;

/** A scientist with an approved project and an approved app. */
export interface Science {
  readonly project: string;
  /** `name@version`. */
  readonly app: string;
  readonly scientist: TestPerson;
}

/** Publishes the module as version 1 of the app, approved by the operator. */
export async function anApprovedApp(
  application: TestApplication,
  name: string,
  module: Uint8Array,
): Promise<Science> {
  const { slug, scientist } = await aProject(application);
  const published = await scientist
    .post(`/v1/apps?project=${slug}&name=${name}&version=1`)
    .set('content-type', 'application/wasm')
    .send(Buffer.from(module));
  if (published.status !== 201) throw new Error(`${name} was refused: ${published.text}`);
  appVersion.parse(published.body);
  await operatorOf(application).post(`/v1/apps/${name}/versions/1/approval`).expect(200);
  return { project: slug, app: `${name}@1`, scientist };
}

/** Uploads the bytes and returns their blob id. */
export async function anInput({ scientist }: Science, bytes: Uint8Array): Promise<string> {
  const blobId = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const answer = await scientist
    .put(`/v1/blobs/${blobId}`)
    .set('content-type', 'application/octet-stream')
    .send(Buffer.from(bytes))
    .expect(201);
  return blob.parse(answer.body).blobId;
}

export interface CompletedJob {
  readonly job: Job;
  readonly answer: string;
}

/** Submits a job and returns its answer once it is completed; the test's timeout bounds the wait. */
export async function completeJob(
  { project, scientist }: Science,
  spec: JobSpecInput,
): Promise<CompletedJob> {
  const submitted = await scientist.post('/v1/jobs', { project, spec }).expect(202);
  const { id } = jobSchema.parse(submitted.body);
  for (;;) {
    const job = jobSchema.parse((await scientist.get(`/v1/jobs/${id}`).expect(200)).body);
    if (job.state === 'completed') {
      const output = await scientist.get(`/v1/jobs/${id}/output`).buffer(true).expect(200);
      return { job, answer: textOf(output) };
    }
    if (job.state === 'failed' || job.state === 'cancelled') {
      throw new Error(`job ${id} ${job.state}: ${job.stateReason ?? ''}`);
    }
    await delay(POLL_MS);
  }
}

/** supertest parses only what it knows; other types arrive as bytes. */
function textOf(response: { readonly text?: string; readonly body: unknown }): string {
  if (typeof response.text === 'string') return response.text;
  return Buffer.isBuffer(response.body) ? response.body.toString() : '';
}
