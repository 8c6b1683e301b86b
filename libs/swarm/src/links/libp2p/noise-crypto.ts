import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { ICryptoInterface } from '@libp2p/noise';
import { defaultCrypto } from '@libp2p/noise/crypto';
import { Uint8ArrayList } from 'uint8arraylist';

const ALGORITHM = 'chacha20-poly1305';
const TAG_BYTES = 16;
/** Shorter messages cost less in the library's WebAssembly than the objects of a call into OpenSSL. */
const LEAST_BYTES = 1200;

type Bytes = Uint8Array | Uint8ArrayList;

/** A session's key is the same array for all of its messages; OpenSSL takes a key object at two thirds of an array's price. */
const keys = new WeakMap<Uint8Array, KeyObject>();

/**
 * What Noise encrypts with: the library's own, but that long messages, which carry chunks, are encrypted piece by piece with a key that is
 * prepared once. The bytes on the wire are the same.
 */
export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,

  chaCha20Poly1305Encrypt(plaintext, nonce, ad, k) {
    if (plaintext.byteLength < LEAST_BYTES)
      return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, k);
    const cipher = createCipheriv(ALGORITHM, keyOf(k), nonce, { authTagLength: TAG_BYTES });
    if (ad.length > 0) cipher.setAAD(ad, { plaintextLength: plaintext.byteLength });
    const sealed = new Uint8ArrayList();
    for (const piece of piecesOf(plaintext)) sealed.append(cipher.update(piece));
    cipher.final();
    sealed.append(cipher.getAuthTag());
    return sealed;
  },

  /** @throws {Error} for a message that was not sealed with this key and nonce */
  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k, dst) {
    if (ciphertext.byteLength < LEAST_BYTES)
      return defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k, dst);
    const textBytes = ciphertext.byteLength - TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, keyOf(k), nonce, { authTagLength: TAG_BYTES });
    if (ad.length > 0) decipher.setAAD(ad, { plaintextLength: textBytes });
    decipher.setAuthTag(ciphertext.subarray(textBytes));
    const opened = new Uint8ArrayList();
    const text =
      ciphertext instanceof Uint8Array ? ciphertext.subarray(0, textBytes) : ciphertext.sublist(0, textBytes);
    for (const piece of piecesOf(text)) opened.append(decipher.update(piece));
    // Throws before anybody sees what is not genuine.
    decipher.final();
    return opened;
  },
};

function keyOf(k: Uint8Array): KeyObject {
  const known = keys.get(k);
  if (known) return known;
  const key = createSecretKey(k);
  keys.set(k, key);
  return key;
}

function piecesOf(bytes: Bytes): Iterable<Uint8Array> {
  return bytes instanceof Uint8Array ? [bytes] : bytes;
}
