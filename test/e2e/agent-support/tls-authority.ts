import { createSign, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';

const DAY_MS = 24 * 3600 * 1000;
/** ecdsa-with-SHA256, RFC 5758. */
const SIGNATURE = sequence(Buffer.from('06082a8648ce3d040302', 'hex'));

/** By which servers are known that no name server knows. */
export const SERVER_NAME = 'coordinator.invalid';

export interface ServerIdentity {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority that nobody trusts yet, such as a company's own. */
export class TlsAuthority {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #name = `authority ${randomUUID()}`;
  /** Its own certificate, PEM. */
  readonly certificate = pem(this.#sign(this.#keys.publicKey, this.#name, lasting(-DAY_MS, 10 * DAY_MS), CA));

  /** A server at 127.0.0.1, or of the {@link SERVER_NAME}, whose certificate holds from and until so many milliseconds from now. */
  serverFrom(fromMs: number, untilMs: number): ServerIdentity {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cert = this.#sign(publicKey, 'server', lasting(fromMs, untilMs), SERVER);
    return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: pem(cert) };
  }

  /** X.509 version 3, RFC 5280 section 4.1. */
  #sign(key: KeyObject, subject: string, validity: Buffer, extensions: Buffer): Buffer {
    const serial = tagged(0x02, Buffer.concat([Buffer.from([1]), Buffer.from(subject).subarray(0, 16)]));
    const body = sequence(
      tagged(0xa0, tagged(0x02, Buffer.from([2]))),
      serial,
      SIGNATURE,
      commonName(this.#name),
      validity,
      commonName(subject),
      key.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, extensions),
    );
    const signature = createSign('sha256').update(body).sign(this.#keys.privateKey);
    return sequence(body, SIGNATURE, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  }
}

/** basicConstraints: a CA. */
const CA = sequence(extension('551d13', sequence(Buffer.from('0101ff', 'hex'))));
/** subjectAltName: the address 127.0.0.1, and the name. */
const SERVER = sequence(
  extension('551d11', sequence(Buffer.from('87047f000001', 'hex'), tagged(0x82, Buffer.from(SERVER_NAME)))),
);

function extension(oid: string, value: Buffer): Buffer {
  return sequence(tagged(0x06, Buffer.from(oid, 'hex')), tagged(0x04, value));
}

function commonName(name: string): Buffer {
  const attribute = sequence(tagged(0x06, Buffer.from('550403', 'hex')), tagged(0x0c, Buffer.from(name)));
  return sequence(tagged(0x31, attribute));
}

function lasting(fromMs: number, untilMs: number): Buffer {
  return sequence(utcTime(Date.now() + fromMs), utcTime(Date.now() + untilMs));
}

/** `YYMMDDHHMMSSZ`. */
function utcTime(atMs: number): Buffer {
  const text = new Date(atMs).toISOString().replaceAll(/\.\d+|\D/g, '');
  return tagged(0x17, Buffer.from(`${text.slice(2, 14)}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** DER: tag, length, content. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const short = [length];
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? short : long)]), content]);
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
