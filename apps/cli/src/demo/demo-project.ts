import { readFile } from 'node:fs/promises';
import { SETI_CLASSIC_WASM_PATH } from '@gleaner/example-seti-classic';
import { account, appVersion, createdToken, project, type Scope } from '@gleaner/protocol';
import { ApiClient } from '../api/api-client.js';

const PROJECT = 'demo';
const APP = 'seti-classic';
const VERSION = '1';

export interface DemoProject {
  /** Slug of the approved project. */
  readonly project: string;
  /** `name@version` of the approved app. */
  readonly app: string;
  /** Speaks as the scientist. */
  readonly scientist: ApiClient;
  /** One account and token a volunteer. */
  readonly volunteers: ReadonlyArray<{ readonly name: string; readonly token: string }>;
}

/** What an operator and a scientist do by hand: accounts, a project, an app, approvals. */
export async function prepareProject(
  operator: ApiClient,
  volunteerNames: readonly string[],
): Promise<DemoProject> {
  const scientist = await createAccount(operator, 'Jocelyn (scientist)', ['submit']);
  const volunteers = await Promise.all(
    volunteerNames.map(async (name) => ({
      name,
      token: (await createAccount(operator, name, ['work'])).token,
    })),
  );
  await operator.request('/v1/projects', project, {
    method: 'POST',
    json: {
      slug: PROJECT,
      name: 'Demo',
      description: 'What is tried out on this machine: anything that its apps can compute',
    },
  });
  await operator.request(`/v1/projects/${PROJECT}/approval`, project, { method: 'POST' });
  await operator.order(`/v1/projects/${PROJECT}/scientists`, {
    method: 'POST',
    json: { accountId: scientist.id },
  });
  const scientistApi = new ApiClient({ url: operator.target.url, token: scientist.token });
  await scientistApi.request('/v1/apps', appVersion, {
    method: 'POST',
    query: { project: PROJECT, name: APP, version: VERSION },
    body: { contentType: 'application/wasm', bytes: new Uint8Array(await readFile(SETI_CLASSIC_WASM_PATH)) },
  });
  await operator.request(`/v1/apps/${APP}/versions/${VERSION}/approval`, appVersion, { method: 'POST' });
  return { project: PROJECT, app: `${APP}@${VERSION}`, scientist: scientistApi, volunteers };
}

async function createAccount(
  operator: ApiClient,
  name: string,
  scopes: readonly Scope[],
): Promise<{ id: string; token: string }> {
  const { id } = await operator.request('/v1/accounts', account, {
    method: 'POST',
    json: { name, operator: false },
  });
  const { secret } = await operator.request(`/v1/accounts/${id}/tokens`, createdToken, {
    method: 'POST',
    json: { label: 'demo', scopes },
  });
  return { id, token: secret };
}
