import {
  args_get, args_sizes_get, environ_get, environ_sizes_get, ERRNO_SUCCESS, fd_write, proc_exit, random_get,
} from "./wasi";

/** Exit code of an app that called `abort`, failed an assertion or threw. */
export const ABORT_EXIT_CODE: i32 = 134;

const STDERR: i32 = 2;

/** The unit's arguments, without the app's name (argv[0]). */
export function args(): string[] {
  const all = readStrings(true);
  return all.slice(1);
}

/** Value of a variable of the job's environment, or null where it is not set. */
export function environment(name: string): string | null {
  const prefix = name + "=";
  const all = readStrings(false);
  for (let i = 0; i < all.length; i++) {
    if (all[i].startsWith(prefix)) return all[i].substring(prefix.length);
  }
  return null;
}

/** Absolute offset in bytes of this unit's window in the job's input (splits `bytes` and `records`); 0 otherwise. */
export function inputOffset(): i64 {
  const text = environment("GLEANER_OFFSET");
  return text === null ? 0 : I64.parseInt(text);
}

/** Writes a message to stderr and ends the unit as failed with the exit code (1 to 255). */
export function fail(message: string, exitCode: i32 = 1): void {
  writeError(message);
  proc_exit(exitCode);
}

// The compiler calls these three where a program throws, asserts, seeds Math.random or traces; the build maps them here,
// because by default they are imports from `env`, which the sandbox does not have.

// @ts-ignore: decorator
@global
function gleanerAbort(message: string | null, file: string | null, line: u32, column: u32): void {
  const reason = message === null ? "aborted" : message;
  const place = file === null ? "unknown place" : file;
  fail(reason + " at " + place + ":" + line.toString() + ":" + column.toString(), ABORT_EXIT_CODE);
  unreachable();
}

// @ts-ignore: decorator
@global
function gleanerSeed(): f64 {
  const buffer = heap.alloc(8);
  random_get(buffer, 8);
  return reinterpret<f64>(load<u64>(buffer));
}

// @ts-ignore: decorator
@global
function gleanerTrace(
  message: string, n: i32 = 0, a0: f64 = 0, a1: f64 = 0, a2: f64 = 0, a3: f64 = 0, a4: f64 = 0,
): void {
  const values: f64[] = [a0, a1, a2, a3, a4];
  let line = "trace: " + message;
  for (let i = 0; i < n; i++) line += " " + values[i].toString();
  writeError(line);
}

/** One line to stderr, unbuffered: the unit may end right after it. */
function writeError(line: string): void {
  const bytes = String.UTF8.encode(line + "\n");
  const vector = heap.alloc(12);
  store<usize>(vector, changetype<usize>(bytes));
  store<usize>(vector, bytes.byteLength, 4);
  fd_write(STDERR, vector, 1, vector + 8);
}

/** Strings of argv (`isArgs`) or of the environment, which share one layout: a pointer table and NUL-ended bytes. */
function readStrings(isArgs: bool): string[] {
  const sizes = heap.alloc(8);
  const sizesErrno = isArgs ? args_sizes_get(sizes, sizes + 4) : environ_sizes_get(sizes, sizes + 4);
  if (sizesErrno != ERRNO_SUCCESS) return [];
  const count = load<i32>(sizes);
  const pointers = heap.alloc(<usize>count * sizeof<usize>());
  const bytes = heap.alloc(load<usize>(sizes, 4));
  if ((isArgs ? args_get(pointers, bytes) : environ_get(pointers, bytes)) != ERRNO_SUCCESS) return [];
  const strings: string[] = [];
  for (let i = 0; i < count; i++) {
    const start = load<usize>(pointers + <usize>i * sizeof<usize>());
    let end = start;
    while (load<u8>(end) != 0) end++;
    strings.push(String.UTF8.decodeUnsafe(start, end - start));
  }
  return strings;
}
