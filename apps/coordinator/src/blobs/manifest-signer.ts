import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The coordinator's Ed25519 key: what it signs, volunteers trust wherever they got it from. */
export class ManifestSigner {
  private constructor(private readonly key: KeyObject) {}

  /** Reads the key from the data directory; draws it at the first start. */
  static async open(directory: string): Promise<ManifestSigner> {
    const path = join(directory, 'signing-key.pem');
    const existing = await readFile(path).catch(() => null);
    if (existing) return new ManifestSigner(createPrivateKey(existing));
    const { privateKey } = generateKeyPairSync('ed25519');
    const draft = `${path}.${process.pid}`;
    await writeFile(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true });
    // Linking fails where another coordinator was faster; both then use the key that is there.
    await link(draft, path).catch(() => undefined);
    await rm(draft);
    return new ManifestSigner(createPrivateKey(await readFile(path)));
  }

  /** What everybody checks its signatures with. */
  get verificationKey(): KeyObject {
    return createPublicKey(this.key);
  }

  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.key);
  }

  /** Raw 32 bytes, base64. */
  get publicKey(): string {
    const { x } = createPublicKey(this.key).export({ format: 'jwk' });
    if (x === undefined) throw new Error('the signing key is no Ed25519 key');
    return Buffer.from(x, 'base64url').toString('base64');
  }
}
