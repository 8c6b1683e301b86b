import { afterAll, beforeAll, expect, it } from 'vitest';
import { DispatchFixture, honestResult } from '../support/index.js';

let dispatch: DispatchFixture;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
});
afterAll(() => dispatch.close());

it('hosts are told that a table is locked for long, and are served again when it no longer is', async () => {
  const job = await dispatch.aJob({ replication: { quorum: 1 } });
  const host = await dispatch.aHost();
  const result = honestResult(await dispatch.aTask(host));
  const { url } = dispatch.gleaner;
  const health = async (): Promise<unknown> => (await fetch(new URL('/health/ready', url))).json();
  {
    // As an operator does by psql, and goes for a coffee.
    await using rival = await dispatch.rivalHolding('LOCK TABLE job');
    const refused = /503 .*"code":"server-busy".*is locked for long/;
    const told = expect(host.report(result)).rejects.toThrow(refused);
    await rival.isWaitedFor();
    await told;
    expect(await health()).toMatchObject({
      status: 'degraded',
      details: { database: { message: 'something in it is locked for long' } },
    });
  }
  expect((await host.report(result)).reports).toMatchObject([{ status: 'accepted' }]);
  await dispatch.becomes(job, 'valid');
});
