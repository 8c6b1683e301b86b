import { attachedHost, deviceCode, hostPage, waitingDevice } from '@gleaner/protocol';
import type supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, clientWith, createTestApplication, Rival, type TestApplication } from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication({ env: { GLEANER_TRUST_PROXY: '1' } });
});
afterAll(() => gleaner.close());

const host = { name: 'laptop', kind: 'agent', cores: 4, memoryMiB: 8192, platform: 'linux-x64' };

async function aCode() {
  return deviceCode.parse((await gleaner.http.post('/v1/device/code').send({ host }).expect(201)).body);
}

function redeem(code: string) {
  return gleaner.http.post('/v1/device/token').send({ deviceCode: code });
}

describe('device authorization', () => {
  it('makes an approved host one of the approver’s, once', async () => {
    const ada = await aPerson(gleaner);
    const code = await aCode();
    expect(code.verificationUriComplete).toBe(`${gleaner.url}/activate?code=${code.userCode}`);
    expect((await redeem(code.deviceCode).expect(400)).body).toMatchObject({ code: 'authorization-pending' });
    const typed = code.userCode.toLowerCase().replace('-', ' ');
    // Whoever approves sees first what it is: a link with a code may come from anybody.
    const waiting = waitingDevice.parse((await ada.get(`/v1/device/${typed}`).expect(200)).body);
    expect(waiting.host).toMatchObject({ name: 'laptop', platform: 'linux-x64' });
    expect(Math.abs(Date.parse(waiting.askedAt) - Date.now())).toBeLessThan(60_000);
    const approved = await ada.post('/v1/device/approve', { userCode: typed }).expect(200);
    expect(approved.body).toMatchObject({ approved: true, host: { name: 'laptop', cores: 4 } });
    const attached = attachedHost.parse((await redeem(code.deviceCode).expect(200)).body);
    expect(attached).toMatchObject({ accountId: ada.account.id, anonymous: false });
    const hosts = hostPage.parse(
      (await clientWith(gleaner, attached.secret).get('/v1/hosts').expect(200)).body,
    );
    expect(hosts.items.map(({ id }) => id)).toEqual([attached.hostId]);
    expect((await redeem(code.deviceCode).expect(410)).body).toMatchObject({ code: 'expired-code' });
    await ada.get(`/v1/device/${typed}`).expect(404);
  });

  it('is not used up by an attachment that failed', async () => {
    const ada = await aPerson(gleaner);
    const { deviceCode: secret, userCode } = await aCode();
    await ada.post('/v1/device/approve', { userCode }).expect(200);
    await using rival = await Rival.holding(
      gleaner.dataSource,
      'SELECT FROM account WHERE id = $1 FOR UPDATE',
      [ada.account.id],
    );
    const statusOf = async (test: supertest.Test): Promise<number> => (await test).status;
    const broken = statusOf(redeem(secret));
    await rival.breakWaiting();
    expect(await broken).toBe(503);
    await rival.commit();
    const attached = attachedHost.parse((await redeem(secret).expect(200)).body);
    expect(attached.accountId).toBe(ada.account.id);
  });

  it('tells the person where the host asked from: whoever sent them a link with a code sits elsewhere', async () => {
    const ada = await aPerson(gleaner);
    const from = (test: supertest.Test, address: string) => test.set('x-forwarded-for', address);
    const asked = await from(gleaner.http.post('/v1/device/code'), '203.0.113.7').send({ host }).expect(201);
    const { userCode } = deviceCode.parse(asked.body);
    const seenFrom = async (address: string): Promise<unknown> => {
      const answer = await from(ada.get(`/v1/device/${userCode}`), address).expect(200);
      const { network, isYourNetwork } = waitingDevice.parse(answer.body);
      return { network, isYourNetwork };
    };
    expect(await seenFrom('203.0.113.99')).toEqual({ network: '203.0.113.0/24', isYourNetwork: true });
    expect(await seenFrom('2001:db8:1::1')).toEqual({ network: '203.0.113.0/24', isYourNetwork: false });
  });

  it('tells the host that it was turned down', async () => {
    const ada = await aPerson(gleaner);
    const { deviceCode: secret, userCode } = await aCode();
    await ada.post('/v1/device/approve', { userCode, approve: false }).expect(200);
    expect((await redeem(secret).expect(403)).body).toMatchObject({ code: 'access-denied' });
    await ada.post('/v1/device/approve', { userCode }).expect(404);
  });

  it('needs a person: no token, an unknown code and a host’s token are refused', async () => {
    const ada = await aPerson(gleaner);
    const { userCode } = await aCode();
    await gleaner.http.post('/v1/device/approve').send({ userCode }).expect(401);
    await ada.post('/v1/device/approve', { userCode: 'BBBB-BBBB' }).expect(404);
    const attached = attachedHost.parse((await ada.post('/v1/hosts', { host }).expect(201)).body);
    await clientWith(gleaner, attached.secret).post('/v1/device/approve', { userCode }).expect(403);
    await gleaner.http.get(`/v1/device/${userCode}`).expect(401);
    await ada.get('/v1/device/BBBB-BBBB').expect(404);
    await clientWith(gleaner, attached.secret).get(`/v1/device/${userCode}`).expect(403);
    await redeem('gln_nobody').expect(410);
  });

  it('ends after its time', async () => {
    const ada = await aPerson(gleaner);
    const { deviceCode: secret, userCode } = await aCode();
    await gleaner.dataSource.query(
      `UPDATE device_code SET expires_at = now() - interval '1 s' WHERE user_code = $1`,
      [userCode],
    );
    await ada.post('/v1/device/approve', { userCode }).expect(404);
    await redeem(secret).expect(410);
  });
});

describe('device authorization behind a proxy that is not trusted', () => {
  let proxied: TestApplication;
  beforeAll(async () => {
    proxied = await createTestApplication();
  });
  afterAll(() => proxied.close());

  it.each([
    ['x-forwarded-for', '203.0.113.7'],
    ['forwarded', 'for=203.0.113.7'],
    ['via', '1.1 proxy'],
    ['host', 'gleaner.example'],
  ])('says of no network that it is the person’s: %s', async (header, value) => {
    const ada = await aPerson(proxied);
    const codeOf = async (test: supertest.Test): Promise<string> =>
      deviceCode.parse((await test.send({ host }).expect(201)).body).userCode;
    const seen = async (test: supertest.Test): Promise<unknown> => {
      const { network, isYourNetwork } = waitingDevice.parse((await test.expect(200)).body);
      return { network, isYourNetwork };
    };
    const ask = (): supertest.Test => proxied.http.post('/v1/device/code');
    const look = (code: string): supertest.Test => ada.get(`/v1/device/${code}`);
    const direct = await codeOf(ask());
    expect(await seen(look(direct))).toEqual({ network: '127.0.0.0/24', isYourNetwork: true });
    expect(await seen(look(direct).set(header, value))).toEqual({
      network: '127.0.0.0/24',
      isYourNetwork: null,
    });
    const passedOn = await codeOf(ask().set(header, value));
    for (const test of [look(passedOn), look(passedOn).set(header, value)]) {
      expect(await seen(test)).toEqual({ network: null, isYourNetwork: null });
    }
  });
});
