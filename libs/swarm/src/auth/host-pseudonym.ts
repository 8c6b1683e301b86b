import { sha256Hex } from '../sha256.js';

/** Hexadecimal digits of a host's pseudonym. */
export const PSEUDONYM_DIGITS = 32;

/**
 * What a certificate says of its host: whoever knows the pseudonym can check it, and to everybody else no two certificates of a
 * host have anything in common. 64 hexadecimal digits, a hash commitment whose random part is the serial.
 */
export function blindPseudonym(pseudonym: string, serial: string): string {
  return sha256Hex(Buffer.from(`gleaner-host ${pseudonym} ${serial}`));
}
