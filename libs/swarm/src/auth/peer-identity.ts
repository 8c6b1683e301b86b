import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { decodeBase58, encodeBase58 } from './base58.js';

/** Identity multihash of a protobuf-encoded Ed25519 public key (libp2p's peer id specification). */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
const KEY_BYTES = 32;

/** A host's key in the swarm. It says nothing about the person or the machine. */
export interface PeerIdentity {
  readonly peerId: string;
  readonly privateKey: KeyObject;
  /** The Ed25519 seed: 32 secret bytes from which the identity can be made again. */
  readonly seed: Uint8Array;
}

/** A new one, drawn at random. */
export function createPeerIdentity(): PeerIdentity {
  const { d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return peerIdentityOf(new Uint8Array(Buffer.from(d ?? '', 'base64url')));
}

/**
 * The identity that an earlier run had.
 *
 * @throws {RangeError} unless the seed has 32 bytes
 */
export function peerIdentityOf(seed: Uint8Array): PeerIdentity {
  if (seed.length !== KEY_BYTES) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${seed.length}`);
  // RFC 8410: the fixed frame of a PKCS #8 Ed25519 key, then the seed.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { peerId: peerIdOfKey(createPublicKey(privateKey)), privateKey, seed };
}

/** The peer id of an Ed25519 public key, in base58. */
export function peerIdOfKey(publicKey: KeyObject): string {
  const { x } = publicKey.export({ format: 'jwk' });
  return encodeBase58(Buffer.concat([PEER_ID_PREFIX, Buffer.from(x ?? '', 'base64url')]));
}

/** @throws {RangeError} when the text is no Ed25519 peer id */
export function keyOfPeerId(peerId: string): KeyObject {
  const bytes = decodeBase58(peerId, PEER_ID_PREFIX.length + KEY_BYTES);
  if (PEER_ID_PREFIX.some((byte, index) => bytes[index] !== byte)) throw new RangeError('no Ed25519 peer id');
  const x = Buffer.from(bytes.subarray(PEER_ID_PREFIX.length)).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
