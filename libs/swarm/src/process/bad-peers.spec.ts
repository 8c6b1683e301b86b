import type { SignedTicket } from '@gleaner/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeTicket } from '../auth/index.js';
import { encodeFrame, type Frame } from '../frames/index.js';
import { Rogue } from './rogue.fixture.js';
import {
  anAuthority,
  CHUNK_BYTES,
  CHUNKS,
  everything,
  location,
  MemoryNetwork,
  NodeFarm,
  OneBlobCoordinator,
  pieces,
} from './swarm-node.fixture.js';

const { manifestId } = location;
const OTHER_FILE = 'b'.repeat(64);
const ALL_CHUNKS = Uint8Array.of(0xff);
/** A burst that no honest exchange comes near. */
const FLOOD_FRAMES = 40_000;

const block = (offset: number, bytes: Uint8Array, chunk: number): Frame => ({
  type: 'block',
  channel: 0,
  chunk,
  offset,
  bytes,
});
/** Answers the first request of the victim with this. */
const answering = (misdeed: (chunk: number) => ReadonlyArray<Frame | Uint8Array>) => async (rogue: Rogue) => {
  const { chunk } = await rogue.hears('request');
  rogue.say(...misdeed(chunk));
};
const saying =
  (...words: ReadonlyArray<Frame | Uint8Array>) =>
  (rogue: Rogue) => {
    rogue.say(...words);
    return Promise.resolve();
  };
const wholeChunk = (chunk: number, byte: number): Frame[] =>
  Array.from({ length: CHUNK_BYTES / 65_536 }, (_, index) =>
    block(index * 65_536, new Uint8Array(65_536).fill(byte), chunk),
  );

let farm: NodeFarm;
beforeEach(async () => {
  farm = await NodeFarm.make();
});
afterEach(() => farm[Symbol.asyncDispose]());

/** A node that shares the blob, and a rogue that knows its address. */
async function aVictim(authority = anAuthority()) {
  const network = new MemoryNetwork();
  const log: Array<{ event: string; peer: unknown; reason: unknown }> = [];
  const victim = await farm.start(authority, {
    openTransport: network.open,
    coordinator: new OneBlobCoordinator(),
    log: (event, { peer, reason }) => log.push({ event, peer, reason }),
  });
  victim.join();
  const enrolled = authority.enrol();
  const { peerId } = enrolled.identity;
  const meet = async () =>
    Rogue.meet(await network.dial(victim.node.addresses[0] ?? ''), { ...enrolled, trust: authority.trust });
  return { victim, log, authority, enrolled, peerId, meet };
}

describe('a node among bad peers', () => {
  it.each<[string, RegExp, (rogue: Rogue) => Promise<void>]>([
    ['a frame of no known type', /^bad frame at byte/, saying(Uint8Array.of(0, 0, 0, 2, 99, 0))],
    ['the head of an enormous frame', /^bad frame at byte/, saying(Uint8Array.of(0x7f, 0, 0, 0, 10))],
    [
      'half a frame and an end',
      /^bad frame at byte/,
      (rogue) => {
        rogue.say(encodeFrame({ type: 'have', channel: 0, chunk: 0 }).subarray(0, 5));
        return rogue.close();
      },
    ],
    ['a chunk beyond the file', /^protocol-error$/, saying({ type: 'have', channel: 0, chunk: CHUNKS })],
    ['a request beyond the file', /^protocol-error$/, saying({ type: 'request', channel: 0, chunk: CHUNKS })],
    [
      'the bitmap of another manifest',
      /^mismatch$/,
      saying({ type: 'bitmap', channel: 0, count: 16, bits: Uint8Array.of(0xff, 0xff) }),
    ],
    [
      'another file on an open channel',
      /^protocol-error$/,
      saying({ type: 'open', channel: 0, manifestId: OTHER_FILE, ticket: new Uint8Array(8) }),
    ],
    [
      'a flood of frames',
      /^request-flood$/,
      saying(...Array.from({ length: FLOOD_FRAMES }, (): Frame => ({ type: 'slot', granted: true }))),
    ],
    [
      'a block that starts inside another',
      /^bad frame at byte/,
      answering((chunk) => {
        const bytes = encodeFrame(block(0, new Uint8Array(1), chunk));
        // The last byte of its offset.
        bytes[14] = 1;
        return [bytes];
      }),
    ],
    [
      'data that leaves a gap',
      /^protocol-error$/,
      answering((chunk) => [block(65_536, new Uint8Array(1), chunk)]),
    ],
    [
      'more data than the chunk has',
      /^protocol-error$/,
      answering((chunk) => [...wholeChunk(chunk, chunk + 1).slice(1), block(0, new Uint8Array(2), chunk)]),
    ],
    ['wrong data', /^bad-chunk$/, answering((chunk) => wholeChunk(chunk, 99))],
  ])('closes the link over %s, says why, and completes', async (_, reason, misbehave) => {
    const { victim, log, authority, enrolled, peerId, meet } = await aVictim();
    const rogue = await meet();
    const ticket = encodeTicket(authority.ticket(peerId, manifestId));
    rogue.say({ type: 'open', channel: 0, manifestId, ticket });
    await rogue.hears('bitmap');
    rogue.say(
      { type: 'bitmap', channel: 0, count: CHUNKS, bits: ALL_CHUNKS },
      { type: 'slot', granted: true },
      { type: 'request', channel: 0, chunk: 0 },
    );
    // The victim has nothing yet: its refusal tells that it has read everything before.
    await rogue.hears('reject');
    const fetching = victim.node.fetch(manifestId, everything, AbortSignal.timeout(20_000));
    await misbehave(rogue);
    await rogue.ended;
    expect(log.find(({ event }) => event === 'link-ended')).toMatchObject({ peer: peerId });
    expect(log.find(({ event }) => event === 'link-ended')?.reason).toMatch(reason);
    await fetching;
    for (const index of everything) expect(await victim.data.read(index)).toEqual(pieces[index]);
    // Only wrong data is proof: the rest may be an old or unlucky peer.
    const isProof = reason.test('bad-chunk');
    const { bannedPeers, bytesFromPeers, exchangedBytes } = victim.node.progress();
    expect(bannedPeers).toEqual(isProof ? [peerId] : []);
    expect(victim.node.memory.banned.map(([name]) => name)).toEqual(
      isProof ? [peerId, enrolled.certificate.pseudonym] : [],
    );
    // What was worth nothing has come over the volunteer's line all the same.
    expect(bytesFromPeers).toBe(0);
    if (isProof) expect(exchangedBytes).toBe(CHUNK_BYTES);
  });

  it.each<[string, (victim: Awaited<ReturnType<typeof aVictim>>) => SignedTicket]>([
    ['another peer’s', ({ victim }) => victim.ticket],
    ['another file’s', ({ authority, peerId }) => authority.ticket(peerId, OTHER_FILE)],
    ['an expired', ({ authority, peerId }) => authority.ticket(peerId, manifestId, 1)],
    ['a stranger’s', ({ peerId }) => anAuthority().ticket(peerId, manifestId)],
  ])('gives nothing against %s ticket, not even what it has', async (_, ticketOf) => {
    const context = await aVictim();
    await context.victim.node.fetch(manifestId, everything, AbortSignal.timeout(20_000));
    const rogue = await context.meet();
    rogue.say(
      { type: 'open', channel: 0, manifestId, ticket: encodeTicket(ticketOf(context)) },
      { type: 'interest', channel: 0, wanted: true },
      { type: 'request', channel: 0, chunk: 0 },
    );
    expect(await rogue.hears('close')).toMatchObject({ reason: 'not-permitted' });
    await rogue.hears('reject');
    expect(rogue.heard.map(({ type }) => type)).not.toContain('bitmap');
    expect(context.victim.node.progress().bytesToPeers).toBe(0);
  });
});
