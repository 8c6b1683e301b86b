/** Characters that one call may take as arguments in every browser. */
const CALL_CHARACTERS = 8192;

/** Bytes as base64 (RFC 4648), where there is no Buffer as well. */
export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CALL_CHARACTERS) {
    text += String.fromCharCode(...bytes.subarray(at, at + CALL_CHARACTERS));
  }
  return btoa(text);
}
