/** What lets a program talk to an X server. */
export interface XCookie {
  readonly name: string;
  readonly data: Buffer;
}

/** The only scheme that servers of today use. */
const MAGIC_COOKIE = 'MIT-MAGIC-COOKIE-1';

/**
 * Finds the cookie for a display in an Xauthority file: entries of a family and four counted strings (address, display
 * number, name, data), all numbers big-endian. Undefined when there is none, or the file is damaged.
 */
export function findCookie(file: Buffer, displayNumber: number): XCookie | undefined {
  let offset = 0;
  const counted = (): Buffer | undefined => {
    if (offset + 2 > file.length) return undefined;
    const end = offset + 2 + file.readUInt16BE(offset);
    const bytes = end <= file.length ? file.subarray(offset + 2, end) : undefined;
    offset = end;
    return bytes;
  };
  while (offset + 2 < file.length) {
    offset += 2;
    const [address, number, name, data] = [counted(), counted(), counted(), counted()];
    if (!address || !number || !name || !data) return undefined;
    const isForDisplay = number.length === 0 || number.toString('latin1') === String(displayNumber);
    if (isForDisplay && name.toString('latin1') === MAGIC_COOKIE) return { name: MAGIC_COOKIE, data };
  }
  return undefined;
}
