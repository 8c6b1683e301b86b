/** Apps that try to harm their host, as WebAssembly text, and how each of them has to end on every engine. */

export interface HostileApp {
  readonly text: string;
  readonly ending: Readonly<Record<'outcome' | 'trapKind', string | null>> & { readonly exitCode?: number };
}

/** Below the directory at descriptor 3; the answer is in $errno, the descriptor at address 16. */
const open = (path: string, oflags: number, rights: number): string =>
  `(local.set $errno (call $path_open (i32.const 3) (i32.const 0) (i32.const ${path === 'tmp' ? 96 : 64})
    (i32.const ${path.length}) (i32.const ${oflags}) (i64.const ${rights}) (i64.const 0) (i32.const 0) (i32.const 16)))`;

/** Writes 64 KiB to the descriptor until that fails. */
const writeWithoutEnd = (descriptor: string): string =>
  `(i32.store (i32.const 4) (i32.const 65536))
   (loop $again (br_if $again (i32.eqz (local.tee $errno
     (call $fd_write ${descriptor} (i32.const 0) (i32.const 1) (i32.const 8))))))`;

function command(body: string, { rest = '', path = '' } = {}): string {
  return `(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory 1) (data (i32.const 64) "${path}") (data (i32.const 96) "tmp")
    (type $v (func)) (table 2 2 funcref) (elem (i32.const 1) $other) (func $other (result i32) (i32.const 0))
    ${rest}
    (func (export "_start") (local $errno i32) ${body}))`;
}

const exit = (exitCode: number): HostileApp['ending'] => ({ outcome: 'exit', exitCode, trapKind: null });
const trap = (trapKind: string): HostileApp['ending'] => ({ outcome: 'trap', trapKind });
const exitWithErrno = '(call $exit (local.get $errno))';

/** The units run with 64 MiB of memory, a megabyte of output and 10 million cycles. */
export const HOSTILE_APPS: Readonly<Record<string, HostileApp>> = {
  'loops for ever': {
    text: command('(loop $again (br $again))'),
    ending: { outcome: 'cycle-limit', trapKind: null },
  },
  'recurses for ever': {
    text: command('(call $f)', { rest: '(func $f (call $f) (call $f))' }),
    ending: trap('stack-exhausted'),
  },
  'grows its memory until it is told no': {
    text: command(
      `(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (call $exit (i32.shr_u (memory.size) (i32.const 4)))`,
    ),
    ending: exit(64),
  },
  'writes without end': {
    text: command(writeWithoutEnd('(i32.const 1)')),
    ending: { outcome: 'output-limit', trapKind: null },
  },
  'fills the scratch directory': {
    text: command(
      `${open('tmp/x', 1, 64)} ${writeWithoutEnd('(i32.load (i32.const 16))')} ${exitWithErrno}`,
      {
        path: 'tmp/x',
      },
    ),
    ending: exit(51),
  },
  'opens files without end': {
    text: command(
      `(loop $again ${open('tmp', 0, 0)} (br_if $again (i32.eqz (local.get $errno)))) ${exitWithErrno}`,
    ),
    ending: exit(33),
  },
  'climbs out of its directory': {
    text: command(`${open('tmp/../../etc/passwd', 0, 2)} ${exitWithErrno}`, { path: 'tmp/../../etc/passwd' }),
    ending: exit(76),
  },
  'opens an absolute path': {
    text: command(`${open('/etc/passwd', 0, 2)} ${exitWithErrno}`, { path: '/etc/passwd' }),
    ending: exit(76),
  },
  'writes beside its inputs': {
    text: command(`${open('input/new', 1, 64)} ${exitWithErrno}`, { path: 'input/new' }),
    ending: exit(69),
  },
  ...traps({
    unreachable: ['unreachable'],
    'memory-out-of-bounds': [
      '(drop (i32.load (i32.const -1)))',
      '(memory.copy (i32.const 65000) (i32.const 0) (i32.const 1000))',
      '(call_indirect (type $v) (i32.const 9))',
      '(table.copy (i32.const 1) (i32.const 0) (i32.const 2))',
    ],
    'indirect-call-mismatch': [
      '(call_indirect (type $v) (i32.const 0))',
      '(call_indirect (type $v) (i32.const 1))',
    ],
    'integer-divide-by-zero': [
      '(drop (i32.div_u (i32.const 1) (i32.load (i32.const 0))))',
      '(drop (i64.rem_s (i64.const 1) (i64.load (i32.const 0))))',
    ],
    'integer-overflow': [
      '(drop (i32.div_s (i32.const -2147483648) (i32.sub (i32.load (i32.const 0)) (i32.const 1))))',
      '(drop (i32.trunc_f64_s (f64.div (f64.load (i32.const 0)) (f64.const 0))))',
      '(drop (i64.trunc_f32_u (f32.sub (f32.load (i32.const 0)) (f32.const 1))))',
    ],
  }),
};

function traps(bodies: Readonly<Record<string, readonly string[]>>): Record<string, HostileApp> {
  return Object.fromEntries(
    Object.entries(bodies).flatMap(([kind, texts]) =>
      texts.map((body, i) => [`traps with ${kind} (${i + 1})`, { text: command(body), ending: trap(kind) }]),
    ),
  );
}
