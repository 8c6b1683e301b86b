import { Revocations } from '@gleaner/coordinator';
import { SWARM_LIMITS } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rival } from '../support/index.js';
import { peersOf, SOON, Swarm } from './swarm-peer.js';

let swarm: Swarm;
beforeAll(async () => {
  swarm = await Swarm.open();
});
afterAll(() => swarm[Symbol.asyncDispose]());

describe('revocation', () => {
  it('takes the certificates of a detached host out of the swarm, and tells each peer once', async () => {
    await swarm.newJob();
    const [a, leaving] = [await swarm.working(), await swarm.working()];
    const first = await a.meet([]);
    await leaving.meet([]);
    expect(peersOf(await a.meet([]))).toEqual([leaving.peerId]);
    const response = await fetch(new URL(`/v1/hosts/${leaving.hostId}`, swarm.gleaner.url), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${leaving.personToken}` },
    });
    expect(response.status).toBe(204);
    await expect
      .poll(async () => (await a.meet([], { revocationsSeen: first.revocations })).revoked)
      .toContain(leaving.certificate.body.serial);
    const told = await a.meet([]);
    expect(peersOf(told)).toEqual([]);
    // As of a minute from now.
    const later = (told.revocations ?? 0) + 60_000 * 256;
    expect((await a.meet([], { revocationsSeen: later })).revoked).toEqual([]);
    expect((await leaving.announce([])).status).toBe(401);
  });

  it('follows the revocation of a host’s token', async () => {
    await swarm.newJob();
    const [a, stolen] = [await swarm.working(), await swarm.working()];
    const [{ id }]: [{ id: string }] = await swarm.gleaner.dataSource.query(
      'SELECT id FROM api_token WHERE host_id = $1',
      [stolen.hostId],
    );
    const response = await fetch(new URL(`/v1/tokens/${id}`, swarm.gleaner.url), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stolen.personToken}` },
    });
    expect(response.status).toBe(204);
    await expect.poll(async () => (await a.meet([])).revoked, SOON).toContain(stolen.certificate.body.serial);
  });

  it('is known to whoever asks once it has ended, although somebody asked meanwhile', async () => {
    await swarm.newJob();
    const stolen = await swarm.working();
    const { app, dataSource, url } = swarm.gleaner;
    const [{ id }]: [{ id: string }] = await dataSource.query('SELECT id FROM api_token WHERE host_id = $1', [
      stolen.hostId,
    ]);
    const revocations = app.get(Revocations);
    // What is revoked is noted for operators last of all.
    await using rival = await Rival.holding(dataSource, 'LOCK TABLE audit_entry IN SHARE MODE');
    const headers = { authorization: `Bearer ${stolen.personToken}` };
    const revoking = fetch(new URL(`/v1/tokens/${id}`, url), { method: 'DELETE', headers });
    await rival.isWaitedForBy(1);
    await revocations.current();
    await rival.commit();
    expect((await revoking).status).toBe(204);
    expect([...(await revocations.current()).serials.keys()]).toContain(stolen.certificate.body.serial);
  });

  it('bars a peer that two independent hosts accuse, and not one that a single host accuses often', async () => {
    await swarm.newJob();
    const [liar, a, b, c] = [
      await swarm.working(),
      await swarm.working(),
      await swarm.working(),
      await swarm.working(),
    ];
    await liar.meet([0, 1]);
    const accusing = { badPeers: [liar.peerId] };
    for (let word = 0; word < 3; word += 1) await a.meet([], accusing);
    expect(peersOf(await c.meet([]))).toContain(liar.peerId);
    const { revoked } = await b.meet([], accusing);
    expect(revoked).toContain(liar.certificate.body.serial);
    expect(peersOf(await c.meet([]))).not.toContain(liar.peerId);
    const refusal = await liar.post('/v1/swarm/certificate', {});
    expect(refusal).toMatchObject({ status: 403, body: { type: 'urn:gleaner:problem:forbidden' } });
    // It may still work: HTTPS is always open to it.
    expect(await liar.fetchChunk(0)).toBe(206);
  });

  // The last of all: what was revoked stays so for a week.
  it.each([
    ['one after the other', "i * interval '1 millisecond'"],
    ['all at one moment', "interval '0'"],
  ])(
    'is told in parts where one answer cannot hold it, and none of it lost, when it was %s',
    async (_, after) => {
      const { dataSource } = swarm.gleaner;
      const peer = await swarm.enrol();
      const revoked: Array<{ serial: string }> = await dataSource.query(
        `INSERT INTO swarm_certificate (serial, host_id, token_id, peer_id, expires_at, revoked_at)
       SELECT substr(md5($3::text || i), 1, 24), c.host_id, c.token_id, c.peer_id, c.expires_at, now() - interval '1 hour' + ${after}
         FROM swarm_certificate c, generate_series(1, $2::integer) i WHERE c.host_id = $1
       RETURNING serial`,
        [peer.hostId, SWARM_LIMITS.revokedSerials + 5, after],
      );
      // A coordinator that has just started.
      const revocations = new Revocations(dataSource);
      const told = new Set<string>();
      let seen = 0;
      for (let call = 0; call < 3; call += 1) {
        const answer = await revocations.since(seen);
        expect(answer.serials.length).toBeLessThanOrEqual(SWARM_LIMITS.revokedSerials);
        expect(answer.seen).toBeGreaterThanOrEqual(seen);
        for (const serial of answer.serials) told.add(serial);
        seen = answer.seen;
      }
      expect(revoked.filter(({ serial }) => !told.has(serial))).toEqual([]);
    },
  );
});
