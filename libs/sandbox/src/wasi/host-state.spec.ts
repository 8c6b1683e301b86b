import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aHost, type TestHost } from '../testing/host-app.js';
import { captureHost, restoreHost } from './host-state.js';

const ROOT_FD = 3;
const [CREAT, TRUNC] = [1, 8];
const ALL_RIGHTS = (1n << 28n) - 1n;
const READ_AND_WRITE = 2n | 64n;
const [FIRST, SECOND, DATA, RESULT] = [1000, 2000, 3000, 64];

const [WRITABLE, ANY] = [
  ['tmp/x', 'tmp/d', 'tmp/d/x', 'tmp/d/e', 'output/x'],
  ['tmp', 'tmp/.', 'tmp/d/..', 'output', 'input/a', 'tmp/../input/a', '../x', '/tmp/x'],
];
/** Few names, so that calls meet what others left; some lead nowhere. */
const aPath = fc.oneof({ arbitrary: fc.constantFrom(...WRITABLE), weight: 5 }, fc.constantFrom(...ANY));
const anFd = fc.integer({ min: 0, max: 9 });
/** Around the chunks that files are held in, and beyond some that hold nothing. */
const aFarOffset = fc.constantFrom(250, 4090, 4096, 8192, 20_000);

/** One host call of an app, with an answer that shows all that it changed for the app. */
type Operation = (app: TestHost) => unknown;

const onePath = (name: string) =>
  aPath.map(
    (path): Operation =>
      ({ call, put }) =>
        call(name, ROOT_FD, FIRST, put(path, FIRST)),
  );
const twoPaths = (act: (app: TestHost, a: number, b: number) => number) =>
  fc.tuple(aPath, aPath).map(
    ([a, b]): Operation =>
      (app) =>
        act(app, app.put(a, FIRST), app.put(b, SECOND)),
  );

const anOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .tuple(
      aPath,
      fc.constantFrom(0, CREAT, CREAT, CREAT, CREAT | TRUNC),
      fc.constantFrom(0n, 2n, READ_AND_WRITE, ALL_RIGHTS),
    )
    .map(([path, oflags, rights]): Operation => ({ call, put, view }) => [
      call('path_open', ROOT_FD, 1, FIRST, put(path, FIRST), oflags, rights, rights, 0, RESULT),
      view.getUint32(RESULT, true),
    ]),
  fc.tuple(anFd, fc.string({ maxLength: 20 })).map(([fd, text]): Operation => ({ call, put, view }) => {
    view.setUint32(0, DATA, true);
    view.setUint32(4, put(text, DATA), true);
    return call('fd_write', fd, 0, 1, RESULT);
  }),
  fc.tuple(anFd, fc.nat(30)).map(([fd, length]): Operation => ({ call, bytes, view }) => {
    view.setUint32(0, DATA, true);
    view.setUint32(4, length, true);
    bytes.fill(0, DATA, DATA + 100);
    return [call('fd_read', fd, 0, 1, RESULT), [...bytes.subarray(DATA, DATA + 100)]];
  }),
  fc
    .tuple(anFd, fc.oneof(fc.integer({ min: -5, max: 50 }), aFarOffset), fc.nat(3))
    .map(([fd, delta, whence]): Operation => ({ call, view }) => [
      call('fd_seek', fd, BigInt(delta), whence, RESULT),
      view.getBigUint64(RESULT, true),
    ]),
  fc.tuple(anFd, fc.oneof(fc.nat(60), aFarOffset)).map(
    ([fd, size]): Operation =>
      ({ call }) =>
        call('fd_filestat_set_size', fd, BigInt(size)),
  ),
  fc.tuple(anFd, fc.nat(4)).map(([fd, cookie]): Operation => ({ call, bytes, view }) => {
    bytes.fill(0, DATA, DATA + 300);
    const errno = call('fd_readdir', fd, DATA, 300, BigInt(cookie), RESULT);
    return [errno, [...bytes.subarray(DATA, DATA + view.getUint32(RESULT, true))]];
  }),
  aPath.map((path): Operation => ({ call, put, bytes, view }) => {
    bytes.fill(0, DATA, DATA + 300);
    call('path_open', ROOT_FD, 1, FIRST, put(path, FIRST), 0, 0n, 0n, 0, RESULT);
    const fd = view.getUint32(RESULT, true);
    call('fd_readdir', fd, DATA, 300, 0n, RESULT);
    call('fd_close', fd === ROOT_FD ? -1 : fd);
    return [...bytes.subarray(DATA, DATA + 300)];
  }),
  fc.tuple(anFd, anFd).map(
    ([from, to]): Operation =>
      ({ call }) =>
        // The root stays open, or nothing more could be named.
        from === ROOT_FD || to === ROOT_FD ? null : call('fd_renumber', from, to),
  ),
  anFd.map(
    (fd): Operation =>
      ({ call }) =>
        fd === ROOT_FD ? null : call('fd_close', fd),
  ),
  onePath('path_create_directory'),
  onePath('path_remove_directory'),
  onePath('path_unlink_file'),
  twoPaths(({ call }, a, b) => call('path_rename', ROOT_FD, FIRST, a, ROOT_FD, SECOND, b)),
  twoPaths(({ call }, a, b) => call('path_link', ROOT_FD, 0, FIRST, a, ROOT_FD, SECOND, b)),
  twoPaths(({ call }, a, b) => call('path_symlink', FIRST, a, ROOT_FD, SECOND, b)),
  aPath.map((path): Operation => ({ call, put, bytes }) => {
    bytes.fill(0, DATA, DATA + 64);
    return [
      call('path_filestat_get', ROOT_FD, 1, FIRST, put(path, FIRST), DATA),
      [...bytes.subarray(DATA, DATA + 64)],
    ];
  }),
  fc.constant<Operation>(({ call, bytes }) => [
    call('random_get', DATA, 7),
    [...bytes.subarray(DATA, DATA + 7)],
  ]),
  fc.constant<Operation>(({ call, view }) => [
    call('clock_time_get', 0, 0n, DATA),
    view.getBigUint64(DATA, true),
  ]),
);

/** The same memory too, as a resumed instance has. */
function resumed(from: TestHost, app = aHost()): TestHost {
  const { state, segments } = captureHost(from.host);
  const whole = Buffer.concat(segments);
  const travelled = JSON.parse(JSON.stringify(state)) as typeof state;
  app.bytes.set(from.bytes);
  let at = 0;
  restoreHost(app.host, travelled, (length) => whole.subarray(at, (at += length)));
  expect(at).toBe(whole.length);
  return app;
}

/** Directories that can be made until there are too many; they stay. */
function freeNodes({ call, put }: TestHost): number {
  let made = 0;
  while (call('path_create_directory', ROOT_FD, FIRST, put(`tmp/n${made}`, FIRST)) === 0) made++;
  return made;
}

describe('a restored host', () => {
  it('answers every later call as the captured one would have', () => {
    fc.assert(
      fc.property(
        fc.array(anOperation, { maxLength: 40, size: 'max' }),
        fc.array(anOperation, { maxLength: 40, size: 'max' }),
        (before, after) => {
          const whole = aHost();
          for (const operation of before) operation(whole);
          const continued = resumed(whole);
          for (const operation of after) expect(operation(continued)).toEqual(operation(whole));
          expect(captureHost(continued.host)).toEqual(captureHost(whole.host));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('has no more of a large file than was written to it', () => {
    const scratchBytes = 2 ** 30;
    const whole = aHost({ scratchBytes });
    const length = whole.put('tmp/x', FIRST);
    const opened = whole.call('path_open', ROOT_FD, 1, FIRST, length, CREAT, READ_AND_WRITE, 0n, 0, RESULT);
    expect(opened).toBe(0);
    const fd = whole.view.getUint32(RESULT, true);
    whole.view.setUint32(0, DATA, true);
    whole.view.setUint32(4, whole.put('far away', DATA), true);
    expect(whole.call('fd_filestat_set_size', fd, BigInt(scratchBytes))).toBe(0);
    expect(whole.call('fd_pwrite', fd, 0, 1, BigInt(scratchBytes / 2 - 4), RESULT)).toBe(0);
    const { segments } = captureHost(whole.host);
    expect(segments.reduce((sum, { length }) => sum + length, 0)).toBe(2 * 4096);
    const continued = resumed(whole, aHost({ scratchBytes }));
    expect(captureHost(continued.host)).toEqual(captureHost(whole.host));
    continued.bytes.fill(0, DATA, DATA + 8);
    expect(continued.call('fd_pread', fd, 0, 1, BigInt(scratchBytes / 2 - 4), RESULT)).toBe(0);
    expect(Buffer.from(continued.bytes.subarray(DATA, DATA + 8)).toString()).toBe('far away');
  });

  it('knows where open directories were that are removed, and which place they leave to others', () => {
    const whole = aHost();
    const { call, put, view } = whole;
    const onPath = (name: string, path: string): void =>
      expect(call(name, ROOT_FD, FIRST, put(path, FIRST))).toBe(0);
    for (const path of ['tmp/d', 'tmp/d/e']) onPath('path_create_directory', path);
    expect(call('path_open', ROOT_FD, 1, FIRST, put('tmp/d/e', FIRST), 0, 0n, 0n, 0, RESULT)).toBe(0);
    const fd = view.getUint32(RESULT, true);
    for (const path of ['tmp/d/e', 'tmp/d']) onPath('path_remove_directory', path);
    const continued = resumed(whole);
    const list = (app: TestHost): unknown => [
      app.call('fd_readdir', fd, DATA, 300, 0n, RESULT),
      [...app.bytes.subarray(DATA, DATA + app.view.getUint32(RESULT, true))],
    ];
    expect(list(continued)).toEqual(list(whole));
    expect(captureHost(continued.host)).toEqual(captureHost(whole.host));
    expect(freeNodes(continued)).toBe(freeNodes(whole));
  });

  it('is told apart where the snapshot mentions what the unit does not have', () => {
    const { state } = captureHost(aHost().host);
    const other = aHost({ inputs: new Map() });
    expect(() => restoreHost(other.host, state, (length) => new Uint8Array(length))).toThrow(/input/);
  });
});
