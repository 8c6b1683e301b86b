import { readConfig } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, operatorOf, type TestApplication } from '../support/index.js';

/** What a front page asks for every few seconds. */
const FRONT_PAGE = [
  '/v1/session',
  '/v1/stats',
  '/v1/public/jobs?running=true',
  '/v1/boards/accounts?period=day',
] as const;
const VISITORS = 20;
/** What they read in a minute. */
const READS_A_MINUTE = FRONT_PAGE.length * VISITORS * 20;
/** Few enough to be over within the minute that they are counted in, on a busy machine, too. */
const READS = FRONT_PAGE.length * VISITORS;

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication({
    env: {
      GLEANER_REQUESTS_PER_MINUTE: '8',
      GLEANER_ANONYMOUS_REQUESTS_PER_MINUTE: '4',
      GLEANER_PUBLIC_REQUESTS_PER_MINUTE: String(READS),
    },
  });
});
afterAll(() => gleaner.close());

describe('rate limits', () => {
  it('say what is left, and refuse one account without refusing another or the health check', async () => {
    const [ada, eve] = [await aPerson(gleaner), await aPerson(gleaner)];
    const left: string[] = [];
    for (let i = 0; i < 8; i++) {
      const response = await ada.get('/v1/accounts/me').expect(200);
      left.push(/r=(\d+)/.exec(String(response.headers['ratelimit']))?.[1] ?? '');
    }
    expect(left).toEqual(['7', '6', '5', '4', '3', '2', '1', '0']);
    const refused = await ada.get('/v1/accounts/me').expect(429);
    const detail = expect.stringMatching(
      /^At most 8 requests a minute of one account, .* Try again in \d+ s\.$/,
    ) as string;
    expect(refused.body).toMatchObject({ code: 'rate-limited', status: 429, detail });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await eve.get('/v1/accounts/me').expect(200);
    await gleaner.http.get('/health/live').expect(200);
  });

  it('never stand in the way of those who come for work', async () => {
    const statuses = new Set<number>();
    for (let i = 0; i < 12; i++) statuses.add((await operatorOf(gleaner).post('/v1/work', {})).status);
    expect(statuses).not.toContain(429);
  });

  it('let a school of visitors read the pages from one address, and those who have signed in after them', async () => {
    expect(READS_A_MINUTE).toBeLessThanOrEqual(readConfig({}).publicRequestsPerMinute);
    const ada = await aPerson(gleaner);
    const signedIn = await ada.post('/v1/session/token').expect(200);
    const cookie = String(signedIn.headers['set-cookie']).split(';')[0] ?? '';
    const statuses = new Set<number>();
    for (let visitor = 0; visitor < VISITORS; visitor += 1) {
      const answers = await Promise.all(FRONT_PAGE.map((path) => fetch(gleaner.url + path)));
      for (const answer of answers) {
        statuses.add(answer.status);
        await answer.arrayBuffer();
      }
    }
    expect([...statuses]).toEqual([200]);
    for (const path of FRONT_PAGE) {
      await gleaner.http.get(path).expect(429);
      await gleaner.http.get(path).set('cookie', cookie).expect(200);
    }
  });

  it('count uploads that begin, whose parts come as fast as they can', async () => {
    const eve = await aPerson(gleaner);
    const begin = () => eve.post('/v1/uploads').set({ 'tus-resumable': '1.0.0', 'upload-length': '1' });
    const location = String((await begin().expect(201)).headers['location']);
    for (let i = 1; i < 8; i++) await begin().expect(201);
    const refused = await begin().expect(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await eve.head(location).set('tus-resumable', '1.0.0').expect(200);
  });

  it('end guessing of tokens from one network', async () => {
    const guess = (n: number) =>
      gleaner.http.get('/v1/accounts/me').set('authorization', `Bearer gln_${String(n).padStart(43, 'x')}`);
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) statuses.push((await guess(n)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 429, 429]);
  });
});
