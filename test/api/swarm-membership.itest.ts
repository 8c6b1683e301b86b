import { createPublicKey } from 'node:crypto';
import { swarmCertificateAnswer, swarmTicketsAnswer, workResponse } from '@gleaner/protocol';
import {
  blindPseudonym,
  createPeerIdentity,
  encodeTicket,
  judgeTicket,
  requireValidCertificate,
} from '@gleaner/swarm/auth';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Rival } from '../support/index.js';
import { SOON, Swarm } from './swarm-peer.js';

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
  });

  it('of one host have nothing in common but what it tells enrolled peers alone', async () => {
    const [peer, other] = [await swarm.enrol(), await swarm.enrol()];
    const { certificate } = await peer.asAnother();
    const own = [peer.certificate, certificate];
    expect(new Set(own.map(({ pseudonym }) => pseudonym)).size).toBe(1);
    for (const { body, pseudonym } of own) expect(body.host).toBe(blindPseudonym(pseudonym, body.serial));
    for (const key of ['host', 'serial', 'peerId'] as const)
      expect(new Set(own.map(({ body }) => body[key])).size).toBe(2);
    // A short id may well occur in a pseudonym by chance.
    expect(certificate.pseudonym).not.toBe(peer.hostId);
    expect(other.certificate.pseudonym).not.toBe(certificate.pseudonym);
    expect(JSON.stringify(peer.record())).not.toContain(certificate.pseudonym);
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
    for (let extra = 0; extra < 12; extra += 1) {
      const { peerId } = createPeerIdentity();
      statuses.push((await peer.post('/v1/swarm/certificate', { peerId })).status);
    }
    expect(statuses).toEqual([...Array<number>(11).fill(200), 409]);
  });

  it('are given to no host that is detached at this moment', async () => {
    const peer = await swarm.enrol();
    const { dataSource, url } = swarm.gleaner;
    await using rival = await Rival.holding(dataSource, 'SELECT FROM host WHERE id = $1 FOR UPDATE', [
      peer.hostId,
    ]);
    const headers = { authorization: `Bearer ${peer.personToken}` };
    const detached = fetch(new URL(`/v1/hosts/${peer.hostId}`, url), { method: 'DELETE', headers });
    await rival.isWaitedForBy(1);
    const asked = peer.post('/v1/swarm/certificate', { peerId: createPeerIdentity().peerId });
    await rival.isWaitedForBy(2);
    await rival.commit();
    expect((await detached).status).toBe(204);
    expect((await asked).status).toBe(401);
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
    const ask = (peerId?: string) =>
      vi.waitFor(async () => {
        const request = {
          maxTasks: 1,
          memoryMiB: 512,
          cores: 4,
          ...(peerId !== undefined && { peerId }),
        };
        const { tasks, jobs } = workResponse.parse(await peer.host.work({ request }));
        expect(tasks).toHaveLength(1);
        return jobs[0]?.inputs['tape']?.swarmTicket;
      }, SOON);
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
