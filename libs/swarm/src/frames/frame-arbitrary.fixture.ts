import * as fc from 'fast-check';
import { CLOSE_REASONS, FRAME_LIMITS, type Frame } from './frame.js';

const channel = fc.nat(FRAME_LIMITS.channels - 1);
const chunk = fc.nat(FRAME_LIMITS.chunks - 1);

const bitmap = fc.array(fc.boolean(), { maxLength: 300 }).map((flags) => {
  const bits = new Uint8Array(Math.ceil(flags.length / 8));
  flags.forEach((flag, index) => {
    if (flag) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index % 8));
  });
  return { count: flags.length, bits };
});

/** For tests: any frame that the protocol allows; blocks up to `maxBlockBytes`. */
export function anyFrame(maxBlockBytes = 1000): fc.Arbitrary<Frame> {
  return fc.oneof(
    fc.record({
      type: fc.constant('open' as const),
      channel,
      manifestId: fc
        .uint8Array({ minLength: 32, maxLength: 32 })
        .map((bytes) => Buffer.from(bytes).toString('hex')),
      ticket: fc.uint8Array({ maxLength: FRAME_LIMITS.ticketBytes }),
    }),
    fc.record({ type: fc.constant('close' as const), channel, reason: fc.constantFrom(...CLOSE_REASONS) }),
    fc
      .record({ channel, bitmap })
      .map(({ channel, bitmap }): Frame => ({ type: 'bitmap', channel, ...bitmap })),
    fc.record({ type: fc.constantFrom('have', 'request', 'cancel', 'reject'), channel, chunk }),
    fc.record({ type: fc.constant('interest' as const), channel, wanted: fc.boolean() }),
    fc.record({ type: fc.constant('slot' as const), granted: fc.boolean() }),
    fc.record({
      type: fc.constant('block' as const),
      channel,
      chunk,
      offset: fc.nat(0xffff).map((block) => block * FRAME_LIMITS.blockBytes),
      bytes: fc.uint8Array({ minLength: 1, maxLength: maxBlockBytes }),
    }),
    fc.record({
      type: fc.constant('peers' as const),
      records: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: FRAME_LIMITS.records }),
    }),
  );
}
