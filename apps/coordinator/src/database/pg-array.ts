/** Postgres array literals. Written here because every batch of tasks sends a dozen of them. */

type Plain = number | bigint | boolean | null;

/** Numbers and booleans. */
export function plainArray(values: readonly Plain[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : value)).join(',')}}`;
}

/** Decimal ids, hexadecimal digests and other text known to hold only letters and digits; null becomes NULL. */
export function tokenArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** Any text. Postgres stores no NUL character, so it becomes U+FFFD. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quote(value))).join(',')}}`;
}

function quote(text: string): string {
  return `"${text.replaceAll('\0', '\ufffd').replaceAll(/[\\"]/g, '\\$&')}"`;
}
