import type { HostCalls, HostContext } from './host-context.js';
import { pollOneoff } from './poll.js';
import { CLOCKS, ERRNO, SIGNALS, type Errno } from './preview1.js';
import { StopUnit } from './stop-unit.js';
import { CLOCK_STEP_NS } from './unit-clock.js';

/** Arguments, environment, time, randomness, ending; and sockets, of which a unit has none. */
export function systemCalls(context: HostContext): HostCalls {
  function sizes(strings: readonly Uint8Array[], countAt: number, bytesAt: number): Errno {
    const bytes = strings.reduce((sum, string) => sum + string.length, 0);
    const isStored =
      context.memory.setU32(countAt >>> 0, strings.length) && context.memory.setU32(bytesAt >>> 0, bytes);
    return isStored ? ERRNO.success : ERRNO.fault;
  }

  /** Pointers to the strings at `pointers`, the strings themselves at `buffer`. */
  function strings(values: readonly Uint8Array[], pointers: number, buffer: number): Errno {
    let pointer = pointers >>> 0;
    let at = buffer >>> 0;
    for (const value of values) {
      if (!context.memory.setU32(pointer, at) || !context.memory.holds(at, value.length)) return ERRNO.fault;
      context.memory.slice(at, value.length).set(value);
      pointer += 4;
      at += value.length;
    }
    return ERRNO.success;
  }

  function onSocket(fd: number): Errno {
    return context.descriptors.get(fd) === null ? ERRNO.badf : ERRNO.notsock;
  }

  return {
    args_sizes_get: (countAt: number, bytesAt: number) => sizes(context.args, countAt, bytesAt),
    args_get: (pointers: number, buffer: number) => strings(context.args, pointers, buffer),
    environ_sizes_get: (countAt: number, bytesAt: number) => sizes(context.environ, countAt, bytesAt),
    environ_get: (pointers: number, buffer: number) => strings(context.environ, pointers, buffer),

    clock_res_get(clockId: number, result: number): Errno {
      if (clockId >>> 0 >= CLOCKS) return ERRNO.inval;
      return context.memory.setU64(result >>> 0, CLOCK_STEP_NS) ? ERRNO.success : ERRNO.fault;
    },

    clock_time_get(clockId: number, _precision: bigint, result: number): Errno {
      if (clockId >>> 0 >= CLOCKS) return ERRNO.inval;
      if (!context.memory.holds(result >>> 0, 8)) return ERRNO.fault;
      context.memory.setU64(result >>> 0, context.clock.read(clockId));
      return ERRNO.success;
    },

    random_get(address: number, length: number): Errno {
      context.charge(length >>> 0);
      if (!context.memory.holds(address >>> 0, length >>> 0)) return ERRNO.fault;
      context.random.drawInto(context.memory.slice(address >>> 0, length >>> 0));
      return ERRNO.success;
    },

    poll_oneoff: (input: number, output: number, count: number, result: number) =>
      pollOneoff(context, input >>> 0, output >>> 0, count >>> 0, result >>> 0),

    sched_yield: () => ERRNO.success,

    proc_exit(code: number): never {
      throw new StopUnit({ kind: 'exit', code: code >>> 0 });
    },

    // A unit has no other process to signal, and no handlers of its own to run.
    proc_raise: (signal: number) => (signal >>> 0 < SIGNALS ? ERRNO.nosys : ERRNO.inval),

    sock_accept: onSocket,
    sock_recv: onSocket,
    sock_send: onSocket,
    sock_shutdown: onSocket,
  };
}
