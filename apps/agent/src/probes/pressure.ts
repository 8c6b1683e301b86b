/** `some avg10` of a file in /proc/pressure as a share (0 to 1); null where the kernel does not tell. */
export function parsePressure(text: string): number | null {
  const match = /^some avg10=(\d+(?:\.\d+)?)/m.exec(text);
  return match ? Number(match[1]) / 100 : null;
}
