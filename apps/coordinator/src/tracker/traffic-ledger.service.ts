import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { countTraffic } from '@gleaner/domain';
import type { SwarmTrafficReport } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { tokenArray } from '../database/index.js';
import type { HostActor } from '../http/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { SWARM_BOARD } from './board-provider.js';
import { Certificates } from './certificates.service.js';
import type { SwarmBoard, SwarmFile } from './swarm-board.js';
import { SwarmFiles } from './swarm-files.service.js';

/** Sums reach the database this often; a crash loses no more. */
const FLUSH_MS = 2_000;

interface Sum {
  readonly jobId: string;
  readonly sha256: string;
  savedBytes: number;
  originBytes: number;
}

/** Counts what the origin sent to swarm hosts, and what these had from each other instead. */
@Injectable()
export class TrafficLedger implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private sums = new Map<string, Sum>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly certificates: Certificates,
    private readonly files: SwarmFiles,
    @Inject(SWARM_BOARD) private readonly board: SwarmBoard,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.timer.unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
    await this.board.close();
  }

  /** Takes a host's report; of files that it may not have, nothing is counted. */
  async report(actor: HostActor, { peerId, seq, files }: SwarmTrafficReport): Promise<void> {
    const { hostId } = actor;
    await this.certificates.requireOwn(hostId, peerId);
    if (!(await this.board.takeReport(hostId, seq))) return;
    const known = await this.files.findAll(
      hostId,
      files.map(({ manifestId }) => manifestId),
    );
    for (const { manifestId, fromPeersBytes } of files) {
      const file = known.get(manifestId);
      // What the origin sent it knows itself.
      if (file && fromPeersBytes > 0) await this.count(hostId, file, { fromPeersBytes });
    }
  }

  async sentByOrigin(hostId: string, file: SwarmFile, bytes: number): Promise<void> {
    await this.count(hostId, file, { fromOriginBytes: bytes });
  }

  /** Writes what was counted; what cannot be written now is kept for the next time. */
  flush(): Promise<void> {
    this.flushing = this.flushing.then(() => this.write());
    return this.flushing;
  }

  private async count(
    hostId: string,
    file: SwarmFile,
    moved: { fromPeersBytes?: number; fromOriginBytes?: number },
  ): Promise<void> {
    const { before, after } = await this.board.updateTraffic(hostId, file.manifestId, (traffic) =>
      countTraffic(traffic, moved, file.sizeBytes),
    );
    this.add({
      jobId: file.jobId,
      sha256: file.sha256,
      savedBytes: after.savedBytes - before.savedBytes,
      originBytes: moved.fromOriginBytes ?? 0,
    });
  }

  private add(sum: Sum): void {
    const key = `${sum.jobId} ${sum.sha256}`;
    const known = this.sums.get(key);
    if (!known) this.sums.set(key, { ...sum });
    else {
      known.savedBytes += sum.savedBytes;
      known.originBytes += sum.originBytes;
    }
  }

  private async write(): Promise<void> {
    if (this.sums.size === 0) return;
    const sums = [...this.sums.values()];
    this.sums = new Map();
    try {
      await this.dataSource.query(
        `INSERT INTO input_traffic AS t (job_id, sha256, saved_bytes, origin_bytes)
         SELECT job_id, decode(sha256, 'hex'), saved, origin
           FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) AS s(job_id, sha256, saved, origin)
          WHERE EXISTS (SELECT FROM job WHERE id = job_id)
          ORDER BY job_id, sha256
         ON CONFLICT (job_id, sha256) DO UPDATE
            SET saved_bytes = t.saved_bytes + excluded.saved_bytes,
                origin_bytes = t.origin_bytes + excluded.origin_bytes`,
        [
          tokenArray(sums.map(({ jobId }) => jobId)),
          tokenArray(sums.map(({ sha256 }) => sha256)),
          tokenArray(sums.map(({ savedBytes }) => String(savedBytes))),
          tokenArray(sums.map(({ originBytes }) => String(originBytes))),
        ],
      );
    } catch (error) {
      for (const sum of sums) this.add(sum);
      this.logger.warn({ event: 'swarm-traffic-not-written', err: error });
    }
  }
}
