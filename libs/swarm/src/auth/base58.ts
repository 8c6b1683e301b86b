const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Base58 with Bitcoin's alphabet, as peer ids are written. */
export function encodeBase58(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (; value > 0n; value /= 58n) text = `${ALPHABET.charAt(Number(value % 58n))}${text}`;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = `1${text}`;
  }
  return text;
}

/**
 * @param lengthBytes how many bytes the text must stand for
 * @throws {RangeError} for other characters or another length
 */
export function decodeBase58(text: string, lengthBytes: number): Uint8Array {
  let value = 0n;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) throw new RangeError(`"${character}" is no base58 character`);
    value = value * 58n + BigInt(digit);
  }
  const bytes = new Uint8Array(lengthBytes);
  for (let index = lengthBytes - 1; index >= 0; index -= 1, value >>= 8n)
    bytes[index] = Number(value & 0xffn);
  if (value > 0n || encodeBase58(bytes) !== text)
    throw new RangeError(`the text does not stand for ${lengthBytes} bytes`);
  return bytes;
}
