import { z } from 'zod';

const SHAPE =
  /^\/(?:ip4\/([0-9.]{7,15})|ip6\/([0-9a-fA-F:.]{2,45}))\/tcp\/([1-9][0-9]{0,4})(?:\/ws)?(?:\/p2p\/[1-9A-HJ-NP-Za-km-z]{1,80})?$/;
const PORT_MAX = 65_535;

/**
 * Where a peer listens: `/ip4/192.0.2.1/tcp/4001`, `/ip6/…/tcp/…`, with `/ws` for WebSockets. Others dial it, so it is one machine's
 * address in figures: no names that somebody else resolves, nothing that reaches many machines or none.
 */
export const peerAddress = z
  .string()
  .regex(SHAPE, 'must be /ip4/ADDRESS/tcp/PORT or /ip6/ADDRESS/tcp/PORT, perhaps with /ws')
  .refine(isOfOneMachine, 'must be the address of one machine, and a port from 1 to 65535');

function isOfOneMachine(text: string): boolean {
  const [, v4, v6, port] = SHAPE.exec(text) ?? [];
  if (Number(port) > PORT_MAX) return false;
  if (v6 !== undefined) return z.ipv6().safeParse(v6).success && !/^(?:::|ff.*)$/i.test(v6);
  if (v4 === undefined || !z.ipv4().safeParse(v4).success) return false;
  const first = Number(v4.split('.')[0]);
  // From 224 on: multicast, reserved, broadcast.
  return first > 0 && first < 224;
}
