import { swarmTicketsAnswer, type SignedTicket } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/index.js';
import { peersOf, SOON, Swarm, type Peer } from './swarm-peer.js';

/** Its board is in its memory: it knows of nobody's files but what open tasks tell. */
describe('a coordinator that was started anew', () => {
  let swarm: Swarm;
  let anew: TestApplication;
  beforeAll(async () => {
    swarm = await Swarm.open();
    const { databaseUrl, dataDir } = swarm.gleaner.config;
    if (databaseUrl === null) throw new Error('the test application has a database');
    anew = await createTestApplication({ env: { GLEANER_TRUST_PROXY: 'true' }, databaseUrl, dataDir });
  });
  afterAll(async () => {
    await anew.close();
    await swarm[Symbol.asyncDispose]();
  });

  /** Has computed its task, and shares the input since. */
  async function havingFinished(): Promise<{ peer: Peer; ticket: SignedTicket }> {
    const peer = await swarm.working();
    const { manifestId } = swarm.input;
    const { body } = await peer.post('/v1/swarm/tickets', { manifestIds: [manifestId] });
    const [ticket] = swarmTicketsAnswer.parse(body).tickets;
    if (!ticket) throw new Error('its task needs the file');
    await swarm.gleaner.dataSource.query('DELETE FROM lease WHERE host_id = $1', [peer.hostId]);
    peer.at = anew.url;
    return { peer, ticket };
  }

  it('takes back into an open job’s swarm who shows a ticket, and lets it go on', async () => {
    await swarm.newJob();
    const [{ peer, ticket }, other] = [await havingFinished(), await swarm.working()];
    other.at = anew.url;
    const { manifestId } = swarm.input;
    expect((await peer.announce([0, 1])).status).toBe(403);
    // The list of open jobs may be some seconds old.
    await expect.poll(async () => (await peer.announce([0, 1], { ticket })).status, SOON).toBe(200);
    expect(peersOf(await other.meet([]))).toEqual([peer.peerId]);
    const renewed = await peer.post('/v1/swarm/tickets', { manifestIds: [manifestId] });
    expect(renewed.body).toMatchObject({ tickets: [{ body: { manifestId, peerId: peer.peerId } }] });
  });

  it('takes no ticket for another peer or another file, and none that it has not signed', async () => {
    await swarm.newJob();
    const { peer: former, ticket: formerTicket } = await havingFinished();
    await swarm.newJob();
    const [{ ticket: another }, { peer, ticket }] = [await havingFinished(), await havingFinished()];
    await expect.poll(async () => (await peer.announce([], { ticket })).status, SOON).toBe(200);
    const { peer: bold, ticket: own } = await havingFinished();
    expect((await former.announce([], { ticket: formerTicket })).status).toBe(403);
    expect((await bold.announce([], { ticket: another })).status).toBe(403);
    expect((await bold.announce([], { ticket: { ...own, sig: another.sig } })).status).toBe(403);
    expect((await bold.announce([], { ticket: own })).status).toBe(200);
  });
});
