import type { HostContext } from './host-context.js';
import { CLOCKS, ERRNO, EVENT, FILETYPE, RIGHTS, type Errno } from './preview1.js';
import { filetypeOf, type Descriptor } from './descriptors.js';
import { CLOCK_START_NS } from './unit-clock.js';

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const ABSOLUTE_TIME = 1;
const MAX_SUBSCRIPTIONS = 4096;

interface ReadyEvent {
  readonly userdata: bigint;
  readonly errno: Errno;
  readonly type: number;
  readonly bytes: number;
}

interface Alarm {
  readonly userdata: bigint;
  /** Nanoseconds after the unit's start. */
  readonly atNs: bigint;
}

/**
 * Waits for the first of the subscribed events. Files are always ready; where only clocks are subscribed, the virtual
 * clock jumps to the earliest alarm, so that sleeping costs nothing and is the same everywhere.
 */
export function pollOneoff(
  context: HostContext,
  input: number,
  output: number,
  count: number,
  result: number,
): Errno {
  const { memory, clock } = context;
  context.charge(count * SUBSCRIPTION_BYTES);
  if (count === 0 || count > MAX_SUBSCRIPTIONS) return ERRNO.inval;
  if (!memory.holds(input, count * SUBSCRIPTION_BYTES)) return ERRNO.fault;
  if (!memory.holds(output, count * EVENT_BYTES) || !memory.holds(result, 4)) return ERRNO.fault;

  const ready: ReadyEvent[] = [];
  const alarms: Alarm[] = [];
  for (let i = 0; i < count; i++) readSubscription(context, input + i * SUBSCRIPTION_BYTES, ready, alarms);
  if (ready.length === 0) {
    const first = alarms.reduce((least, { atNs }) => (atNs < least ? atNs : least), alarms[0]?.atNs ?? 0n);
    if (first > clock.elapsedNs) clock.advance(first - clock.elapsedNs);
  }
  for (const { userdata, atNs } of alarms) {
    if (atNs <= clock.elapsedNs) ready.push({ userdata, errno: ERRNO.success, type: EVENT.clock, bytes: 0 });
  }

  memory.slice(output, ready.length * EVENT_BYTES).fill(0);
  const { view } = memory;
  ready.forEach((event, i) => {
    const at = output + i * EVENT_BYTES;
    view.setBigUint64(at, event.userdata, true);
    view.setUint16(at + 8, event.errno, true);
    view.setUint8(at + 10, event.type);
    view.setBigUint64(at + 16, BigInt(event.bytes), true);
  });
  memory.setU32(result, ready.length);
  return ERRNO.success;
}

function readSubscription(context: HostContext, at: number, ready: ReadyEvent[], alarms: Alarm[]): void {
  const { view } = context.memory;
  const userdata = view.getBigUint64(at, true);
  const type = view.getUint8(at + 8);
  const fail = (errno: Errno) => ready.push({ userdata, errno, type, bytes: 0 });
  if (type === EVENT.clock) {
    const clockId = view.getUint32(at + 16, true);
    if (clockId >= CLOCKS) return void fail(ERRNO.inval);
    const timeoutNs = view.getBigUint64(at + 24, true);
    const isAbsolute = (view.getUint16(at + 40, true) & ABSOLUTE_TIME) !== 0;
    const origin = isAbsolute ? (clockId === 0 ? -CLOCK_START_NS : 0n) : context.clock.elapsedNs;
    alarms.push({ userdata, atNs: origin + timeoutNs });
    return;
  }
  if (type !== EVENT.fdRead && type !== EVENT.fdWrite) return void fail(ERRNO.inval);
  const descriptor = context.descriptors.get(view.getUint32(at + 16, true));
  if (descriptor === null) return void fail(ERRNO.badf);
  if (filetypeOf(descriptor) === FILETYPE.directory) return void fail(ERRNO.badf);
  ready.push({
    userdata,
    errno: ERRNO.success,
    type,
    bytes: type === EVENT.fdRead ? bytesToRead(descriptor) : 0,
  });
}

function bytesToRead(descriptor: Descriptor): number {
  if (descriptor.kind !== 'file' || (descriptor.rights & RIGHTS.fdRead) === 0) return 0;
  return Math.max(0, descriptor.node.content.size - descriptor.offset);
}
