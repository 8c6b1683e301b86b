const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

/** Bytes with three significant digits and an SI prefix, such as `1.52 MB`. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let scaled = bytes;
  // What would be written with four digits is one of the next unit: 999,950 bytes are 1.00 MB.
  while (unit < UNITS.length - 1 && scaled >= (unit === 0 ? 1000 : 999.5)) {
    scaled /= 1000;
    unit += 1;
  }
  if (unit === 0) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  return `${scaled.toFixed(scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0)} ${UNITS[unit]}`;
}
