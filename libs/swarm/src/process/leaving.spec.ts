import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeTicket } from '../auth/index.js';
import { Rogue } from './rogue.fixture.js';
import {
  anAuthority,
  everything,
  location,
  MemoryNetwork,
  NodeFarm,
  OneBlobCoordinator,
  pieces,
} from './swarm-node.fixture.js';

const { manifestId } = location;

let farm: NodeFarm;
beforeEach(async () => {
  farm = await NodeFarm.make();
});
afterEach(() => farm[Symbol.asyncDispose]());

it('keeps its links when it leaves a file that is being sent, and says what does not come', async () => {
  const [authority, network] = [anAuthority(), new MemoryNetwork()];
  const log: unknown[] = [];
  const init = {
    openTransport: network.open,
    coordinator: new OneBlobCoordinator(),
    log: (...words: unknown[]) => log.push(words),
  };
  const seed = await farm.start(authority, init);
  seed.join();
  await seed.node.fetch(manifestId, everything, AbortSignal.timeout(20_000));
  const enrolled = authority.enrol();
  const peer = await Rogue.meet(await network.dial(seed.node.addresses[0] ?? ''), {
    ...enrolled,
    trust: authority.trust,
  });
  const ticket = encodeTicket(authority.ticket(enrolled.identity.peerId, manifestId));
  peer.say({ type: 'open', channel: 0, manifestId, ticket }, { type: 'interest', channel: 0, wanted: true });
  await peer.hears('slot');
  peer.say(...everything.map((chunk) => ({ type: 'request', channel: 0, chunk }) as const));
  await peer.hears('block');
  seed.node.leave(manifestId);
  await peer.hears('close');
  const bytesOf = (chunk: number): number =>
    peer.heard.reduce(
      (sum, frame) => sum + (frame.type === 'block' && frame.chunk === chunk ? frame.bytes.length : 0),
      0,
    );
  const rejected = peer.heard.flatMap((frame) => (frame.type === 'reject' ? [frame.chunk] : []));
  const halfSent = everything.filter(
    (chunk) => bytesOf(chunk) > 0 && bytesOf(chunk) < (pieces[chunk]?.length ?? 0),
  );
  expect(rejected).toEqual(expect.arrayContaining(halfSent));
  expect(new Set(rejected).size).toBe(rejected.length);
  // Nothing was amiss: another file may be had at once.
  seed.join();
  expect(await Promise.race([peer.ended.then(() => 'ended'), peer.hears('open').then(() => 'open')])).toBe(
    'open',
  );
  expect(log).toEqual([]);
  expect(seed.node.progress().peers).toHaveLength(1);
});
