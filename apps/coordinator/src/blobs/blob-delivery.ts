import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../http/index.js';
import type { ByteRange } from './blob-store.js';
import { BlobsService } from './blobs.service.js';
import { Deliveries } from './deliveries.js';
import { OriginLine } from './origin-line.js';

/** Content as the origin sends it: at the caller's share of the line. */
@Injectable()
export class BlobDelivery {
  constructor(
    private readonly blobs: BlobsService,
    private readonly line: OriginLine,
    private readonly deliveries: Deliveries,
  ) {}

  /** That a host has come for it, and what it has got when the stream closes, is told to whom it concerns. */
  async open({ accountId, hostId }: Actor, sha256: string, range?: ByteRange): Promise<Readable> {
    const content = await this.blobs.openContent(sha256, range);
    const paced = this.line.pace(content, hostId ?? `account ${accountId}`);
    if (hostId === null) return paced;
    let bytes = 0;
    paced.on('data', (part: Buffer) => (bytes += part.length));
    // Listening has started it; whoever sends it does so again.
    paced.pause();
    const sentBytes = new Promise<number>((resolve) => paced.once('close', () => resolve(bytes)));
    const startByte = range?.start ?? 0;
    const endByte = range ? range.end + 1 : null;
    this.deliveries.emit({ hostId, sha256, atMs: Date.now(), startByte, endByte, sentBytes });
    return paced;
  }
}
