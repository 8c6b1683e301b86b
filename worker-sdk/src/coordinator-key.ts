import { Buffer } from 'node:buffer';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { CoordinatorClient } from './coordinator-client.js';

/** Of what `GET /v1/coordinator` tells: the raw 32 bytes of the key, base64. */
const answerSchema = z.object({ publicKey: z.base64().length(44) });
/** An installation keeps its key; one that was set up anew has another before long. */
const KEPT_MS = 10 * 60 * 1000;

/** The Ed25519 key that the coordinator signs with, asked for when it is needed. */
export class CoordinatorKey {
  #known: { readonly key: KeyObject; readonly untilMs: number } | undefined;

  constructor(private readonly client: Pick<CoordinatorClient, 'getJson'>) {}

  /** @throws {CoordinatorError} when the coordinator is away, or something else answers in its place */
  async current(signal: AbortSignal): Promise<KeyObject> {
    if (this.#known && performance.now() < this.#known.untilMs) return this.#known.key;
    const { publicKey } = await this.client.getJson('/v1/coordinator', answerSchema, signal);
    const x = Buffer.from(publicKey, 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    this.#known = { key, untilMs: performance.now() + KEPT_MS };
    return key;
  }
}
