import { readFile } from 'node:fs/promises';
import { generateTape, searchJob, SETI_CLASSIC_WASM_PATH } from '@gleaner/example-seti-classic';
import { job as jobSchema, jobSpec, project } from '@gleaner/protocol';
import { anApprovedApp, anInput, type Science } from '../e2e/volunteering/science.js';
import { operatorOf, type TestApplication } from '../support/index.js';

/** A search of a generated tape, submitted and not computed yet. */
export interface SetiJob extends Science {
  readonly jobId: string;
}

/** @param unitChirps chirp indices of each of the `units`: 2 take about a second of one core */
export async function aSetiJob(
  application: TestApplication,
  {
    name,
    units,
    unitChirps,
    quorum = 2,
  }: { name: string; units: number; unitChirps: number; quorum?: number },
): Promise<SetiJob> {
  const science = await anApprovedApp(application, 'seti-classic', await readFile(SETI_CLASSIC_WASM_PATH));
  const address = `/v1/projects/${science.project}`;
  const operator = operatorOf(application);
  const { headers } = await operator.get(address).expect(200);
  const described = {
    name: 'SETI Classic',
    description:
      'Drifting tones in a tape of a radio telescope: what a distant transmitter would sound like.',
  };
  const changed = await operator
    .patch(address)
    .set('if-match', String(headers['etag']))
    .send(described)
    .expect(200);
  project.parse(changed.body);
  const tape = await anInput(science, generateTape({ seed: 11, tones: [] }).bytes);
  const range = { fromChirp: 0, toChirp: units * unitChirps, unitChirps };
  const search = jobSpec.parse(searchJob({ name, app: science.app, tape, ...range }));
  const spec = { ...search, replication: { ...search.replication, quorum } };
  const answer = await science.scientist.post('/v1/jobs', { project: science.project, spec }).expect(202);
  return { ...science, jobId: jobSchema.parse(answer.body).id };
}
