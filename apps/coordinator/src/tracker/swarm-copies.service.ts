import { Inject, Injectable } from '@nestjs/common';
import { countCopies, summarizeCopies } from '@gleaner/domain';
import { LIMITS, type JobSwarm } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { BoundedCache } from '../http/index.js';
import { SWARM_BOARD } from './board-provider.js';
import { chunkCountOf, type SwarmBoard, type SwarmFile } from './swarm-board.js';
import { SwarmFiles } from './swarm-files.service.js';

const CACHED_FILES = 2_000;
const CACHE_MS = 5_000;

const savedRows = z.tuple([z.object({ saved_bytes: z.string() })]);

/** How widely inputs are spread among volunteers, and what that saved. */
@Injectable()
export class SwarmCopies {
  private readonly counted = new BoundedCache<string, readonly number[]>(CACHED_FILES, CACHE_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly files: SwarmFiles,
    @Inject(SWARM_BOARD) private readonly board: SwarmBoard,
  ) {}

  /** Copies of each chunk among the volunteers that announce themselves, at most {@link CACHE_MS} old. */
  async copiesOf(file: SwarmFile): Promise<readonly number[]> {
    const known = this.counted.get(file.manifestId);
    if (known) return known;
    const copies = countCopies(await this.board.claims(file.manifestId), chunkCountOf(file));
    this.counted.set(file.manifestId, copies);
    return copies;
  }

  async ofJob(jobId: string): Promise<JobSwarm> {
    const files = (await this.files.inputsOf(jobId)).slice(0, LIMITS.inputsPerJob);
    const [saved] = savedRows.parse(
      await this.dataSource.query(
        'SELECT greatest(coalesce(sum(saved_bytes), 0), 0)::text AS saved_bytes FROM input_traffic WHERE job_id = $1',
        [jobId],
      ),
    );
    return {
      inputs: await Promise.all(
        files.map(async (file) => ({
          blobId: `sha256:${file.sha256}`,
          ...summarizeCopies(await this.copiesOf(file)),
        })),
      ),
      savedBytes: Number(saved.saved_bytes),
    };
  }

  /** Of all jobs, a decimal string. */
  async savedBytes(): Promise<string> {
    const [saved] = savedRows.parse(
      await this.dataSource.query(
        'SELECT greatest(coalesce(sum(saved_bytes), 0), 0)::text AS saved_bytes FROM input_traffic',
      ),
    );
    return saved.saved_bytes;
  }
}
