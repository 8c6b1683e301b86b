import { account, attachedHost, createdToken, deviceCode, team } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, clientWith, operatorOf, type TestPerson } from '../support/index.js';
import { HOST, statusWhileDeleting } from './account-deletion.js';
import { ScientistDesk } from './scientist-desk.js';

let desk: ScientistDesk;
beforeAll(async () => {
  desk = await ScientistDesk.open();
});
afterAll(() => desk.close());

async function nameOf({ account: { id } }: TestPerson): Promise<string | undefined> {
  const rows = await desk.gleaner.dataSource.query<Array<{ name: string }>>(
    'SELECT name FROM account WHERE id = $1',
    [id],
  );
  return rows[0]?.name;
}

describe('while an account is being deleted', () => {
  it('its team is kept by nobody who leaves with it', async () => {
    const [ada, bob, eve] = [
      await aPerson(desk.gleaner),
      await aPerson(desk.gleaner),
      await aPerson(desk.gleaner),
    ];
    const { id } = team.parse((await ada.post('/v1/teams', { name: 'Three' }).expect(201)).body);
    const membership = `/v1/teams/${id}/members/me`;
    await bob.put(membership).expect(200);
    await eve.put(membership).expect(200);
    expect(await statusWhileDeleting(desk.gleaner, bob, () => ada.delete(membership))).toBe(204);
    const after = await desk.gleaner.http.get(`/v1/teams/${id}`).expect(200);
    expect(team.parse(after.body)).toMatchObject({ members: 1, keeper: { id: eve.account.id } });
  });

  it('its team is kept by whoever comes', async () => {
    const [ada, bob] = [await aPerson(desk.gleaner), await aPerson(desk.gleaner)];
    const { id } = team.parse((await ada.post('/v1/teams', { name: 'One' }).expect(201)).body);
    expect(await statusWhileDeleting(desk.gleaner, ada, () => bob.put(`/v1/teams/${id}/members/me`))).toBe(
      200,
    );
    const after = await desk.gleaner.http.get(`/v1/teams/${id}`).expect(200);
    expect(team.parse(after.body)).toMatchObject({ members: 1, keeper: { id: bob.account.id } });
  });

  it('it gets no other name', async () => {
    const person = await aPerson(desk.gleaner);
    const rename = () => person.patch('/v1/accounts/me').send({ name: 'Somebody after all' });
    expect(await statusWhileDeleting(desk.gleaner, person, rename)).toBe(401);
    expect(await nameOf(person)).toBe('deleted volunteer');
  });

  it('it is not deleted once more', async () => {
    const person = await aPerson(desk.gleaner);
    const again = () => person.delete('/v1/accounts/me').send({ name: person.account.name });
    expect(await statusWhileDeleting(desk.gleaner, person, again)).toBe(401);
  });

  it('it approves no machine, whose name the log would keep', async () => {
    const person = await aPerson(desk.gleaner);
    const waiting = { host: { ...HOST.host, name: 'the machine of somebody' } };
    const asked = await desk.gleaner.http.post('/v1/device/code').send(waiting).expect(201);
    const { userCode } = deviceCode.parse(asked.body);
    const approve = () => person.post('/v1/device/approve', { userCode });
    expect(await statusWhileDeleting(desk.gleaner, person, approve)).toBe(401);
    const named = "SELECT FROM audit_entry WHERE subject LIKE '%somebody'";
    expect(await desk.gleaner.dataSource.query(named)).toEqual([]);
  });

  it('whoever claims what it has claimed is told so, and is not signed out', async () => {
    const [ada, bob] = [await aPerson(desk.gleaner), await aPerson(desk.gleaner)];
    const anonymous = await desk.gleaner.http.post('/v1/hosts').send(HOST).expect(201);
    const { secret } = attachedHost.parse(anonymous.body);
    const claim = (person: TestPerson) => person.post('/v1/accounts/me/claims', { secret });
    await claim(ada).expect(200);
    expect(await statusWhileDeleting(desk.gleaner, ada, () => claim(bob))).toBe(400);
  });

  it('nothing is noted of its machines', async () => {
    const person = await aPerson(desk.gleaner);
    const host = attachedHost.parse((await person.post('/v1/hosts', HOST).expect(201)).body);
    const said = { phase: 'paused', reason: 'somebody uses the machine' };
    const heartbeat = () =>
      clientWith(desk.gleaner, host.secret).post('/v1/heartbeat', { running: [], state: said });
    await statusWhileDeleting(desk.gleaner, person, heartbeat);
    const noted = 'SELECT network, said_reason, last_seen_at FROM host WHERE id = $1';
    expect(await desk.gleaner.dataSource.query(noted, [host.hostId])).toEqual([
      { network: null, said_reason: null, last_seen_at: null },
    ]);
  });
});

describe('of two operators who delete their accounts at the same moment', () => {
  it('one stays', async () => {
    const operator = operatorOf(desk.gleaner);
    const facts = { name: 'second operator', operator: true };
    const second = account.parse((await operator.post('/v1/accounts', facts).expect(201)).body);
    const wish = { label: 'a name', scopes: ['work', 'operate'] };
    const made = await operator.post(`/v1/accounts/${second.id}/tokens`, wish).expect(201);
    const client = clientWith(desk.gleaner, createdToken.parse(made.body).secret);
    const first = () => operator.delete('/v1/accounts/me').send({ name: 'operator' });
    expect(await statusWhileDeleting(desk.gleaner, { ...client, account: second }, first)).toBe(409);
    await operator.get('/v1/accounts').expect(200);
  });
});
