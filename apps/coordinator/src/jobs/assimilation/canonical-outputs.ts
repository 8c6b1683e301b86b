import { Injectable } from '@nestjs/common';
import type { UnitOutput } from '@gleaner/domain';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { BlobsService } from '../../blobs/index.js';
import type { Pace } from '../../database/index.js';

/** Units read at once: whoever asks for work waits for no more than what folding so many takes. */
const UNITS_PER_PAGE = 250;

const storedOutput = z.object({
  name: z.string(),
  size: z.number(),
  sha256: z.string(),
  base64: z.string().optional(),
});
type StoredOutput = z.infer<typeof storedOutput>;

const unitRows = z.array(
  z.object({
    id: z.coerce.number(),
    index_in_job: z.coerce.number(),
    outputs: z.array(storedOutput).nullable(),
  }),
);
type UnitRow = z.infer<typeof unitRows>[number];

/** A canonical output whose bytes are not stored, although its unit is valid. */
export class OutputMissingError extends Error {
  override readonly name = 'OutputMissingError';

  constructor(unitIndex: number, { name, sha256 }: StoredOutput) {
    super(`output "${name}" of unit ${unitIndex} (sha256:${sha256}) is not stored here`);
  }
}

/** The job has been cancelled, or runs on, while its outputs were read. */
export class NoLongerFoldedError extends Error {
  override readonly name = 'NoLongerFoldedError';
}

/** The canonical outputs of the valid units of a job that is being folded. */
@Injectable()
export class CanonicalOutputs {
  constructor(
    private readonly dataSource: DataSource,
    private readonly blobs: BlobsService,
  ) {}

  /**
   * Units in job order, one page in memory at a time; of each its declared outputs one after the other, each for itself:
   * a line that an output leaves without its newline must not go on in the next.
   *
   * @param declared names of the outputs, in the job file's order
   * @throws {NoLongerFoldedError} before the next page once nobody wants the answer
   */
  async *ofJob(jobId: string, declared: readonly string[], pace: Pace): AsyncGenerator<UnitOutput> {
    for await (const page of pace.between(this.pages(jobId))) {
      for (const row of page) {
        pace.signal?.throwIfAborted();
        for (const name of declared) {
          const output = row.outputs?.find((one) => one.name === name);
          if (!output || output.size === 0) continue;
          yield { unitIndex: row.index_in_job, content: this.contentOf(row, output) };
        }
      }
    }
  }

  private async *pages(jobId: string): AsyncGenerator<readonly UnitRow[]> {
    let page = await this.page(jobId, 0);
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      yield page;
      page = await this.page(jobId, last.id);
    }
  }

  private async page(jobId: string, after: number): Promise<UnitRow[]> {
    const rows = unitRows.parse(
      await this.dataSource.query(
        `SELECT u.id, u.index_in_job, t.outputs
           FROM work_unit u JOIN task t ON t.unit_id = u.id AND t.ordinal = u.canonical_ordinal AND t.unit_id > $2
          WHERE u.job_id = $1 AND u.id > $2 AND u.state = 'valid' ORDER BY u.id LIMIT ${UNITS_PER_PAGE}`,
        [jobId, after],
      ),
    );
    const wanted: unknown[] = await this.dataSource.query(
      "SELECT FROM job WHERE id = $1 AND state = 'assimilating'",
      [jobId],
    );
    if (wanted.length === 0) throw new NoLongerFoldedError();
    return rows;
  }

  private async *contentOf(unit: UnitRow, output: StoredOutput): AsyncGenerator<Uint8Array> {
    if (output.base64 !== undefined) yield Buffer.from(output.base64, 'base64');
    else yield* this.readBlob(unit.index_in_job, output);
  }

  private async *readBlob(unitIndex: number, output: StoredOutput): AsyncGenerator<Uint8Array> {
    let content;
    try {
      content = await this.blobs.openContent(output.sha256);
    } catch (error) {
      if (isMissingFile(error)) throw new OutputMissingError(unitIndex, output);
      throw error;
    }
    let left = output.size;
    for await (const piece of content) {
      if (!(piece instanceof Uint8Array)) throw new TypeError('content must be read as bytes');
      left -= piece.length;
      yield piece;
    }
    // What a failing disk has cut off must not be missing from the answer.
    if (left !== 0) {
      const { name, sha256 } = output;
      throw new Error(`output "${name}" of unit ${unitIndex} (sha256:${sha256}) ended ${left} bytes early`);
    }
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
