import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { SplitInputs } from '@gleaner/domain';
import { hexOfBlobId, type JobSpec } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { BlobsService } from '../../blobs/index.js';

const sizeRows = z.array(z.object({ sha256: z.string(), size_bytes: z.coerce.number() }));

/** Records may be single bytes: whoever looks for their ends in so many is done within a few milliseconds. */
const PIECE_BYTES = 8 * 1024;
/** After so long it is others' turn, who wait for answers of this process. */
const TURN_MS = 10;

/** An input of a job whose blob is not (or no longer) stored. */
export class InputMissingError extends Error {
  override readonly name = 'InputMissingError';

  constructor(readonly input: string) {
    super(`input "${input}" is not stored here`);
  }
}

/** A job's inputs as its splits read them. */
@Injectable()
export class JobInputs {
  constructor(
    private readonly dataSource: DataSource,
    private readonly blobs: BlobsService,
  ) {}

  /** @throws {InputMissingError} for the first input whose blob is not stored */
  async open(inputs: JobSpec['inputs']): Promise<SplitInputs> {
    const digests = Object.values(inputs).map(hexOfBlobId);
    const rows = sizeRows.parse(
      await this.dataSource.query(
        `SELECT encode(sha256, 'hex') AS sha256, size_bytes FROM blob
          WHERE sha256 IN (SELECT decode(d, 'hex') FROM unnest($1::text[]) d)`,
        [digests],
      ),
    );
    const sizes = new Map(rows.map((row) => [row.sha256, row.size_bytes]));
    const find = (input: string): { sha256: string; sizeBytes: number } => {
      const sha256 = hexOfBlobId(inputs[input] ?? '');
      const sizeBytes = sizes.get(sha256);
      if (sizeBytes === undefined) throw new InputMissingError(input);
      return { sha256, sizeBytes };
    };
    for (const input of Object.keys(inputs)) find(input);
    return {
      sizeBytes: (input) => find(input).sizeBytes,
      read: (input, offset, length) => this.read(input, find(input).sha256, offset, length),
    };
  }

  private async *read(
    input: string,
    sha256: string,
    offset: number,
    length: number,
  ): AsyncGenerator<Uint8Array> {
    if (length === 0) return;
    let content;
    try {
      content = await this.blobs.openContent(sha256, { start: offset, end: offset + length - 1 });
    } catch (error) {
      if (isMissingFile(error)) throw new InputMissingError(input);
      throw error;
    }
    let left = length;
    let turnBeganMs = performance.now();
    for await (const piece of content) {
      if (!(piece instanceof Uint8Array)) throw new TypeError('content must be read as bytes');
      left -= piece.length;
      for (let at = 0; at < piece.length; at += PIECE_BYTES) {
        yield piece.subarray(at, at + PIECE_BYTES);
        if (performance.now() - turnBeganMs < TURN_MS) continue;
        await nextTurn();
        turnBeganMs = performance.now();
      }
    }
    if (left !== 0)
      throw new Error(
        `input "${input}" (sha256:${sha256}) ended ${left} bytes early, at ${offset + length - left}`,
      );
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
