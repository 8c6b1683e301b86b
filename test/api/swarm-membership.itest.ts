import { createPublicKey } from 'node:crypto';
import { SWARM_LIMITS, swarmCertificateAnswer, swarmTicketsAnswer, workResponse } from '@gleaner/protocol';
import { createPeerIdentity, encodeTicket, judgeTicket, requireValidCertificate } from '@gleaner/swarm/auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peersOf, SOON, Swarm } from './swarm-peer.js';

let swarm: Swarm;
beforeAll(async () => {
  swarm = await Swarm.open();
});
afterAll(() => swarm[Symbol.asyncDispose]());

describe('certificates', () => {
  it('let the peer id of a host into the swarm for at most seven days, and tell nobody which host it is', async () => {
    const peer = await swarm.enrol();
    const again = swarmCertificateAnswer.parse((await peer.post('/v1/swarm/certificate', {})).body);
    expect(again.certificate).toEqual(peer.certificate);
    expect(again.seenAddress).toBe(peer.address);
    const trust = {
      coordinatorKey: createPublicKey({
        key: Buffer.from(again.coordinatorKey, 'base64'),
        format: 'der',
        type: 'spki',
      }),
      isRevoked: () => false,
      now: Date.now,
    };
    expect(() => requireValidCertificate(again.certificate, trust)).not.toThrow();
    const { body } = again.certificate;
    expect(body.peerId).toBe(peer.peerId);
    expect(body.exp - Date.now() / 1000).toBeLessThanOrEqual(7 * 24 * 3600);
    // A short id may well occur in a pseudonym by chance.
    expect(body.host).toMatch(/^[0-9a-f]{16,}$/);
    expect(body.host).not.toBe(peer.hostId);
  });

  it('are for attached hosts alone', async () => {
    const { peerId } = createPeerIdentity();
    expect((await swarm.post('/v1/swarm/certificate', { peerId })).status).toBe(401);
    expect(
      (await swarm.post('/v1/swarm/certificate', { peerId }, { token: swarm.scientist.token })).status,
    ).toBe(403);
  });

  it.each([{ peerId: '12D3KooWhello' }, { peerId: 7 }, { extra: true }])(
    'are refused for what is no peer id: %o',
    async (body) => {
      const peer = await swarm.enrol();
      expect((await peer.post('/v1/swarm/certificate', body)).status).toBe(400);
    },
  );

  it('are given for a few peer ids of a host, not for any number', async () => {
    const peer = await swarm.enrol();
    const statuses: number[] = [];
    for (let extra = 0; extra < 4; extra += 1) {
      const { peerId } = createPeerIdentity();
      statuses.push((await peer.post('/v1/swarm/certificate', { peerId })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 409]);
  });

  it('count no longer once they have expired', async () => {
    await swarm.newJob();
    const peer = await swarm.working();
    await swarm.gleaner.dataSource.query(
      "UPDATE swarm_certificate SET expires_at = now() - interval '1 second' WHERE host_id = $1",
      [peer.hostId],
    );
    expect((await peer.announce([])).status).toBe(403);
    const renewed = await peer.post('/v1/swarm/certificate', {});
    const { certificate } = swarmCertificateAnswer.parse(renewed.body);
    expect(certificate.body.serial).not.toBe(peer.certificate.body.serial);
    const [{ count }]: [{ count: string }] = await swarm.gleaner.dataSource.query(
      'SELECT count(*) FROM swarm_certificate WHERE expires_at < now()',
    );
    expect(count).toBe('0');
  });
});

describe('tickets', () => {
  it('are given for the inputs of open tasks, and refused with a reason for others', async () => {
    await swarm.newJob();
    const other = 'f'.repeat(64);
    const peer = await swarm.enrol();
    const before = swarmTicketsAnswer.parse(
      (await peer.post('/v1/swarm/tickets', { manifestIds: [swarm.input.manifestId] })).body,
    );
    expect(before).toMatchObject({ tickets: [], refused: [{ manifestId: swarm.input.manifestId }] });
    await peer.takeTask();
    const { tickets, refused } = swarmTicketsAnswer.parse(
      (await peer.post('/v1/swarm/tickets', { manifestIds: [swarm.input.manifestId, other] })).body,
    );
    expect(tickets.map(({ body }) => [body.manifestId, body.peerId])).toEqual([
      [swarm.input.manifestId, peer.peerId],
    ]);
    expect(refused.map(({ manifestId }) => manifestId)).toEqual([other]);
  });

  it('come with the inputs of a work answer to a peer, signed by the coordinator', async () => {
    await swarm.newJob();
    const peer = await swarm.enrol();
    const ask = async (peerId?: string) => {
      for (;;) {
        const request = {
          maxTasks: 1,
          memoryMiB: 512,
          cores: 4,
          ...(peerId !== undefined && { peerId }),
        };
        const answer = workResponse.parse(await peer.host.work({ request }));
        if (answer.tasks.length > 0) return answer.jobs[0]?.inputs['tape']?.swarmTicket;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const ticket = await ask(peer.peerId);
    if (!ticket) throw new Error('no ticket came');
    const { coordinatorKey } = swarmCertificateAnswer.parse(
      (await peer.post('/v1/swarm/certificate', {})).body,
    );
    const trust = {
      coordinatorKey: createPublicKey({
        key: Buffer.from(coordinatorKey, 'base64'),
        format: 'der',
        type: 'spki',
      }),
      isRevoked: () => false,
      now: Date.now,
    };
    expect(judgeTicket(encodeTicket(ticket), peer.peerId, swarm.input.manifestId, trust)).toBeGreaterThan(
      Date.now(),
    );
    expect(await ask(createPeerIdentity().peerId)).toBeUndefined();
    expect(await ask()).toBeUndefined();
  });

  it('are refused to whoever names another host’s peer id, too many files, or nothing sensible', async () => {
    await swarm.newJob();
    const [peer, other] = [await swarm.working(), await swarm.working()];
    const manifestIds = [swarm.input.manifestId];
    const foreign = await peer.post('/v1/swarm/tickets', { manifestIds, peerId: other.peerId });
    expect(foreign.status).toBe(403);
    expect((await swarm.post('/v1/swarm/tickets', { peerId: peer.peerId, manifestIds })).status).toBe(401);
    const many = Array.from({ length: 33 }, () => swarm.input.manifestId);
    expect((await peer.post('/v1/swarm/tickets', { manifestIds: many })).status).toBe(400);
    expect((await peer.post('/v1/swarm/tickets', { manifestIds: ['x'] })).status).toBe(400);
  });
});

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
    const later = (told.revocations ?? 0) + 60_000;
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
  it('is told in parts where one answer cannot hold it, the oldest first', async () => {
    await swarm.newJob();
    const peer = await swarm.working();
    await swarm.gleaner.dataSource.query(
      `INSERT INTO swarm_certificate (serial, host_id, token_id, peer_id, expires_at, revoked_at)
       SELECT lpad(to_hex(i), 24, '0'), c.host_id, c.token_id, c.peer_id, c.expires_at, now() + i * interval '1 millisecond'
         FROM swarm_certificate c, generate_series(1, $2::integer) i WHERE c.host_id = $1`,
      [peer.hostId, SWARM_LIMITS.revokedSerials + 5],
    );
    const serial = (at: number) => at.toString(16).padStart(24, '0');
    const last = serial(SWARM_LIMITS.revokedSerials + 5);
    let first = await peer.meet([]);
    await expect
      .poll(async () => {
        first = await peer.meet([]);
        return first.revoked.length;
      }, SOON)
      .toBe(SWARM_LIMITS.revokedSerials);
    expect(first.revoked).not.toContain(last);
    const { revoked } = await peer.meet([], { revocationsSeen: first.revocations });
    expect(revoked).toContain(last);
    expect(new Set([...first.revoked, ...revoked]).size).toBeGreaterThanOrEqual(
      SWARM_LIMITS.revokedSerials + 5,
    );
  });
});
