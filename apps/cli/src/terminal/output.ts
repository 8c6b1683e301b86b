import { cellsOf, harmless } from '@gleaner/protocol';

/** Nothing more can be written to stdout. Why, is told by who listens for its errors. */
export class LostStdoutError extends Error {
  override readonly name = 'LostStdoutError';
  /** Who reads our output has seen enough: `| head -1` is no failure. */
  readonly isReadEnough: boolean;

  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause });
    this.isReadEnough = cause.code === 'EPIPE';
  }
}

/**
 * Writes on stdout, and resolves when it is taken.
 *
 * @throws {LostStdoutError}
 */
export async function writeBytes(bytes: Uint8Array | string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(bytes, (error) => {
      if (error) reject(new LostStdoutError(error));
      else resolve();
    });
  });
}

/** Writes data for programs: one line of JSON on stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, bigIntAsText)}\n`);
}

/** Writes data for people on stdout. */
export function print(text: string): void {
  process.stdout.write(`${harmless(text)}\n`);
}

/** Writes everything that is not data on stderr. */
export function note(text: string): void {
  process.stderr.write(`${harmless(text)}\n`);
}

/** Lines of a table, columns aligned; numbers to the right. */
export function tableLines(header: readonly string[], rows: ReadonlyArray<readonly string[]>): string[] {
  // Not `Math.max(...rows)`: there may be more rows than a call takes arguments.
  const widths = header.map((title, column) =>
    rows.reduce((widest, row) => Math.max(widest, cellsOf(row[column] ?? '')), title.length),
  );
  const isNumeric = header.map((_, column) => rows.every((row) => /^[\d., %-]*$/.test(row[column] ?? '')));
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => {
        const room = ' '.repeat(Math.max(0, (widths[column] ?? 0) - cellsOf(cell)));
        return isNumeric[column] ? room + cell : cell + room;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** `1234567` → `1,234,567`; for decimal strings of any length. */
export function groupDigits(decimal: string): string {
  return decimal.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `"a"`, or `"a", "b"`. */
export function quotedList(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

/** Seconds as `42 s`, `3 min 5 s` or `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function bigIntAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
