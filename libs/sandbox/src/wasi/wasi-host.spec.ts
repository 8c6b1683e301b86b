import { describe, expect, it } from 'vitest';
import { aHost } from '../testing/host-app.js';
import { sourceOfPieces } from './byte-source.js';
import { ERRNO } from './preview1.js';
import { CLOCK_START_NS } from './unit-clock.js';
import type { HostInit } from './wasi-host.js';

const ROOT_FD = 3;
const RIGHTS = { read: 2n, write: 64n, pathOpen: 8192n };
const CREAT = 1;

/** A host with what its calls were charged, and short forms of the commonest calls. */
function anApp(init: Partial<HostInit> = {}) {
  const charged: number[] = [];
  const app = aHost({
    inputs: new Map(),
    outputBytes: 1000,
    scratchBytes: 1000,
    charge: (bytes) => charged.push(bytes),
    ...init,
  });
  const { bytes, call, put, view } = app;
  /** Opens a path below the root: the descriptor, or minus the error code. */
  const open = (path: string, rights: bigint, oflags = 0): number => {
    const errno = call('path_open', ROOT_FD, 0, 1000, put(path, 1000), oflags, rights, 0n, 0, 900);
    return errno === ERRNO.success ? view.getUint32(900, true) : -errno;
  };
  const vector = (at: number, address: number, length: number): void => {
    view.setUint32(at, address, true);
    view.setUint32(at + 4, length, true);
  };
  const read = (fd: number, length: number): string => {
    vector(0, 2000, length);
    expect(call('fd_read', fd, 0, 1, 900)).toBe(ERRNO.success);
    return text(2000, view.getUint32(900, true));
  };
  const write = (fd: number, content: string): number => {
    vector(0, 2000, put(content, 2000));
    return call('fd_write', fd, 0, 1, 900);
  };
  const text = (at: number, length: number): string =>
    new TextDecoder().decode(bytes.subarray(at, at + length));
  return { ...app, charged, open, read, write, text, vector };
}

describe('WasiHost', () => {
  it('gives arguments and the environment, the latter by name', () => {
    const { call, view, text } = anApp();
    expect(call('args_sizes_get', 0, 4)).toBe(0);
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([2, 8]);
    call('args_get', 16, 32);
    expect(text(view.getUint32(16, true), 8)).toBe('app\0one\0');
    call('environ_get', 16, 32);
    expect(text(32, 8)).toBe('A=1\0B=2\0');
  });

  it('moves its clock by a microsecond at each reading and by what is slept', () => {
    const { call, view } = anApp();
    const now = (clock: number): bigint => {
      call('clock_time_get', clock, 0n, 8);
      return view.getBigUint64(8, true);
    };
    expect(now(0)).toBe(CLOCK_START_NS + 1000n);
    expect(now(1)).toBe(2000n);
    view.setUint8(64 + 8, 0);
    view.setUint32(64 + 16, 1, true);
    view.setBigUint64(64 + 24, 5_000_000_000n, true);
    expect(call('poll_oneoff', 64, 200, 1, 8)).toBe(0);
    expect(view.getUint32(8, true)).toBe(1);
    expect(now(1)).toBe(5_000_003_000n);
    expect(call('clock_time_get', 9, 0n, 8)).toBe(ERRNO.inval);
  });

  it('draws the same randomness for the same seed', () => {
    const draw = (seed: string): string => {
      const { call, bytes } = anApp({ seed });
      call('random_get', 0, 16);
      return Buffer.from(bytes.subarray(0, 16)).toString('hex');
    };
    expect(draw('00'.repeat(32))).toBe(draw('00'.repeat(32)));
    expect(draw('01'.repeat(32))).not.toBe(draw('00'.repeat(32)));
  });

  it('fills a read across chunk borders, and only the end of the file makes it shorter', () => {
    const pieces = ['abc', 'd', '', 'efgh'].map((piece) => new TextEncoder().encode(piece));
    const { open, read } = anApp({ inputs: new Map([['data', sourceOfPieces(pieces)]]) });
    const fd = open('input/data', RIGHTS.read);
    expect([read(fd, 5), read(fd, 5), read(fd, 5)]).toEqual(['abcde', 'fgh', '']);
  });

  it('charges what is requested, not what is done', () => {
    const { call, vector, charged, open } = anApp();
    vector(0, 2000, 30);
    vector(8, 3000, 12);
    call('fd_read', 0, 0, 2, 900);
    call('fd_write', 77, 0, 2, 900);
    call('random_get', 0, 33);
    call('fd_readdir', ROOT_FD, 0, 100, 0n, 900);
    open('nowhere', RIGHTS.read);
    expect(charged).toEqual([42, 42, 33, 100, 7]);
  });

  it('does nothing where the cycles have run out', () => {
    const charge = (): never => {
      throw new RangeError('no cycles left');
    };
    const { host, write } = anApp({ charge });
    expect(() => write(1, 'text')).toThrow('no cycles left');
    expect(host.output('stdout')).toHaveLength(0);
  });

  it('keeps outputs, and the last 4 KiB of stderr', () => {
    const { host, open, write } = anApp();
    const fd = open('output/a', RIGHTS.write, CREAT);
    expect(write(fd, 'first ')).toBe(0);
    expect(write(fd, 'second')).toBe(0);
    write(1, 'out');
    for (let i = 0; i < 5000; i++) write(2, String(i % 10));
    expect(new TextDecoder().decode(host.output('a'))).toBe('first second');
    expect(new TextDecoder().decode(host.output('stdout'))).toBe('out');
    expect(host.output('unwritten')).toHaveLength(0);
    expect(host.context.stderr.text()).toHaveLength(4096);
    expect(host.context.stderr.text().endsWith('789')).toBe(true);
  });

  it('stops the unit before a write that would cross the output limit', () => {
    const { host, write } = anApp({ outputBytes: 10 });
    expect(write(1, '12345678')).toBe(0);
    expect(() => write(1, '9ab')).toThrow('output-limit');
    expect(host.output('stdout')).toHaveLength(8);
  });

  it('writes all buffers of a call or none', () => {
    const { host, call, put, vector } = anApp({ outputBytes: 5 });
    vector(0, 2000, put('abcd', 2000));
    vector(8, 3000, put('ef', 3000));
    expect(() => call('fd_write', 1, 0, 2, 900)).toThrow('output-limit');
    expect(host.output('stdout')).toHaveLength(0);
  });

  it('refuses a write that the scratch directory cannot hold, entirely', () => {
    const { open, write, read, call } = anApp({ scratchBytes: 10 });
    const fd = open('tmp/x', RIGHTS.read | RIGHTS.write, CREAT);
    expect(write(fd, '12345678')).toBe(0);
    expect(write(fd, '9abc')).toBe(ERRNO.nospc);
    call('fd_seek', fd, 0n, 0, 900);
    expect(read(fd, 100)).toBe('12345678');
  });

  it('gives back the room of a file when its last name and descriptor are gone', () => {
    const { open, write, call, put } = anApp({ scratchBytes: 10 });
    const first = open('tmp/x', RIGHTS.write, CREAT);
    expect(write(first, '1234567890')).toBe(0);
    expect(call('path_unlink_file', ROOT_FD, 1000, put('tmp/x', 1000))).toBe(0);
    const second = open('tmp/y', RIGHTS.write, CREAT);
    expect(write(second, '1')).toBe(ERRNO.nospc);
    call('fd_close', first);
    expect(write(second, '1')).toBe(0);
  });

  it('does not move files between /tmp and /output, whose bounds differ', () => {
    const { open, call, put } = anApp();
    open('tmp/x', RIGHTS.write, CREAT);
    const [from, to] = [put('tmp/x', 1000), put('output/x', 1100)];
    expect(call('path_rename', ROOT_FD, 1000, from, ROOT_FD, 1100, to)).toBe(ERRNO.xdev);
  });

  it('counts the targets of symbolic links as bytes of their volume, until they are gone', () => {
    const { call, put } = anApp({ scratchBytes: 1000 });
    const link = (name: string) =>
      call('path_symlink', 2000, put('a'.repeat(300), 2000), ROOT_FD, 1000, put(`tmp/${name}`, 1000));
    expect([link('one'), link('two')]).toEqual([ERRNO.success, ERRNO.nospc]);
    expect(call('path_unlink_file', ROOT_FD, 1000, put('tmp/one', 1000))).toBe(ERRNO.success);
    expect(link('two')).toBe(ERRNO.success);
  });

  it('lists directories in byte order, whatever the order of creation', () => {
    const { open, call, view, text } = anApp();
    const names = ['b', 'a\u{1f600}', 'B', 'a\uffff', 'ab'];
    for (const name of names) open(`tmp/${name}`, RIGHTS.write, CREAT);
    call('fd_readdir', open('tmp', 0n), 4096, 1000, 0n, 900);
    const listed: string[] = [];
    for (let at = 4096; at < 4096 + view.getUint32(900, true);) {
      const length = view.getUint32(at + 16, true);
      listed.push(text(at + 24, length));
      at += 24 + length;
    }
    expect(listed).toEqual(['.', '..', 'B', 'ab', 'a\uffff', 'a\u{1f600}', 'b']);
  });

  it('lets a descriptor do what it was opened for, and nothing else', () => {
    const { open, call, put, vector, view, write } = anApp();
    const writable = open('tmp/x', RIGHTS.write, CREAT);
    expect(write(writable, 'content')).toBe(ERRNO.success);
    vector(0, 2000, 1);
    expect(call('fd_read', writable, 0, 1, 900)).toBe(ERRNO.badf);
    const readable = open('tmp/x', RIGHTS.read);
    expect(write(readable, 'other')).toBe(ERRNO.badf);
    expect(call('fd_allocate', readable, 0n, 9n)).toBe(ERRNO.badf);
    expect(call('fd_filestat_set_size', readable, 0n)).toBe(ERRNO.inval);
    // What is opened below a directory has no rights but those that the directory passes on.
    const folder = open('tmp', RIGHTS.pathOpen);
    expect(call('path_open', folder, 0, 1000, put('x', 1000), 0, RIGHTS.read, 0n, 0, 900)).toBe(0);
    expect(call('fd_read', view.getUint32(900, true), 0, 1, 900)).toBe(ERRNO.badf);
  });

  it('shortens and lengthens files, within the bound of their volume', () => {
    const { open, call, read, view, write } = anApp({ scratchBytes: 100 });
    const fd = open('tmp/x', RIGHTS.read | RIGHTS.write, CREAT);
    const size = () => (call('fd_filestat_get', fd, 800), view.getBigUint64(832, true));
    write(fd, '0123456789');
    expect(call('fd_filestat_set_size', fd, 4n)).toBe(ERRNO.success);
    expect(size()).toBe(4n);
    expect(call('fd_filestat_set_size', fd, 6n)).toBe(ERRNO.success);
    expect(read(open('tmp/x', RIGHTS.read), 100)).toBe('0123\0\0');
    expect(call('fd_allocate', fd, 5n, 95n)).toBe(ERRNO.success);
    expect(size()).toBe(100n);
    expect(call('fd_allocate', fd, 0n, 9n)).toBe(ERRNO.success);
    expect(size()).toBe(100n);
    expect(call('fd_allocate', fd, 0n, 101n)).toBe(ERRNO.nospc);
    expect(call('fd_filestat_set_size', fd, 101n)).toBe(ERRNO.nospc);
    expect(call('fd_filestat_set_size', fd, -1n)).toBe(ERRNO.fbig);
    expect(call('fd_allocate', fd, 0n, 0n)).toBe(ERRNO.inval);
    expect(size()).toBe(100n);
  });

  it('tells the target of a symbolic link, as much of it as fits, and of nothing else', () => {
    const { open, call, put, text, view } = anApp();
    call('path_symlink', 2000, put('target', 2000), ROOT_FD, 1000, put('tmp/link', 1000));
    const readlink = (path: string, room: number): number | string => {
      const errno = call('path_readlink', ROOT_FD, 1000, put(path, 1000), 3000, room, 900);
      return errno === ERRNO.success ? text(3000, view.getUint32(900, true)) : -errno;
    };
    expect([readlink('tmp/link', 100), readlink('tmp/link', 3)]).toEqual(['target', 'tar']);
    open('tmp/file', RIGHTS.write, CREAT);
    expect([readlink('tmp/file', 100), readlink('tmp/none', 100)]).toEqual([-ERRNO.inval, -ERRNO.noent]);
  });

  it('answers EFAULT to any vector that reaches outside the memory, and moves nothing of the others', () => {
    const { open, call, read, vector, write } = anApp();
    const fd = open('tmp/x', RIGHTS.read | RIGHTS.write, CREAT);
    write(fd, 'kept');
    vector(0, 2000, 2);
    for (const [address, length] of [
      [65_530, 7],
      [65_537, 0],
      [-1, 1],
      [2, -1],
    ] as const) {
      vector(8, address, length);
      for (const name of ['fd_write', 'fd_read']) expect(call(name, fd, 0, 2, 900)).toBe(ERRNO.fault);
      for (const name of ['fd_pwrite', 'fd_pread']) expect(call(name, fd, 0, 2, 0n, 900)).toBe(ERRNO.fault);
    }
    vector(8, 65_530, 6);
    expect(call('fd_pread', fd, 0, 2, 0n, 900)).toBe(ERRNO.success);
    expect(read(open('tmp/x', RIGHTS.read), 100)).toBe('kept');
  });

  it('tells the same times, inodes and devices to every run', () => {
    const stat = (): number[] => {
      const { call, put, bytes } = anApp({ inputs: new Map([['x', sourceOfPieces([new Uint8Array(9)])]]) });
      expect(call('path_filestat_get', ROOT_FD, 0, 1000, put('input/x', 1000), 0)).toBe(0);
      return [...bytes.subarray(0, 64)];
    };
    expect(stat()).toEqual(stat());
    expect(new DataView(Uint8Array.from(stat()).buffer).getBigUint64(48, true)).toBe(CLOCK_START_NS);
  });

  it.each<[string, (number | bigint)[]]>([
    ['args_get', [65_534, 0]],
    ['clock_time_get', [0, 0n, 65_530]],
    ['random_get', [65_530, 10]],
    ['random_get', [-1, -1]],
    ['fd_write', [1, 65_530, 1, 0]],
    ['fd_fdstat_get', [1, 65_520]],
    ['fd_filestat_get', [1, 65_500]],
    ['path_open', [ROOT_FD, 0, 65_530, 10, 0, 0n, 0n, 0, 0]],
    ['fd_readdir', [ROOT_FD, 0, 70_000, 0n, 0]],
    ['poll_oneoff', [65_530, 0, 1, 0]],
  ])('answers EFAULT to %s with addresses outside the memory', (name, args) => {
    expect(anApp().call(name, ...args)).toBe(ERRNO.fault);
  });

  it('has no sockets and no signals', () => {
    const { call } = anApp();
    expect(call('sock_shutdown', 1, 0)).toBe(ERRNO.notsock);
    expect(call('sock_recv', 99, 0, 0, 0, 0, 0)).toBe(ERRNO.badf);
    expect(call('proc_raise', 9)).toBe(ERRNO.nosys);
  });

  it('offers every function that a module may import', async () => {
    const { HOST_IMPORTS } = await import('../admission/host-imports.js');
    const { imports } = anApp().host;
    for (const [module, functions] of Object.entries(HOST_IMPORTS)) {
      const offered = Object.keys(imports[module as keyof typeof imports]);
      expect(new Set(offered)).toEqual(new Set(Object.keys(functions)));
    }
  });
});
