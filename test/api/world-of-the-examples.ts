import { submitJob } from '@gleaner/protocol';
import { REQUEST_EXAMPLES } from '@gleaner/coordinator';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import { aPerson, operatorOf, type TestApplication, TestHost } from '../support/index.js';

/** What `sha256` of the examples' input is of. */
const HAMLET = 'to be or not to be\nthat is the question\n';

export interface WorldOfTheExamples {
  /** What stands for the parameter of an address. */
  readonly idsOf: (path: string) => string;
  /** Who sends the example of an operation. */
  readonly tokenOf: (operationId: string) => string;
}

/** A coordinator in which all exists that the examples of the API's document name. */
export async function worldOfTheExamples(gleaner: TestApplication): Promise<WorldOfTheExamples> {
  const { project, spec } = submitJob.parse(REQUEST_EXAMPLES['submitJob']);
  const operator = operatorOf(gleaner);
  const somebody = await aPerson(gleaner);
  const keeper = await aPerson(gleaner);
  await operator.post('/v1/projects', { slug: project, name: project }).expect(201);
  await operator.post(`/v1/projects/${project}/approval`).expect(200);
  const [name, version] = spec.app.split('@');
  const module = Buffer.from(helloModule('hello\n').original);
  const app = operator.post(`/v1/apps?project=${project}&name=${name}&version=${version}`);
  await app.set('content-type', 'application/wasm').send(module).expect(201);
  for (const blobId of Object.values(spec.inputs)) {
    const upload = operator.put(`/v1/blobs/${blobId}`).set('content-type', 'application/octet-stream');
    await upload.send(Buffer.from(HAMLET)).expect(201);
  }
  const job = await operator.post('/v1/jobs', { project, spec }).expect(202);
  const team = await keeper.post('/v1/teams', { name: 'Early birds' }).expect(201);
  const host = await TestHost.attach(gleaner.url, { token: gleaner.operatorToken });
  const ids: ReadonlyArray<readonly [string, string]> = [
    ['/v1/jobs/', idOf(job.body)],
    ['/v1/accounts/', somebody.account.id],
    ['/v1/projects/', project],
    ['/v1/hosts/', host.attached.hostId],
    ['/v1/teams/', idOf(team.body)],
  ];
  return {
    idsOf: (path) => ids.find(([beginning]) => path.startsWith(beginning))?.[1] ?? '',
    tokenOf: (id) => {
      if (id === 'work' || id === 'heartbeat') return host.attached.secret;
      return id === 'updateTeam' ? keeper.token : gleaner.operatorToken;
    },
  };
}

function idOf(body: unknown): string {
  return (body as { readonly id: string }).id; // `as`: jobs and teams have one
}
