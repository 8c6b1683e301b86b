import { Inject, Injectable } from '@nestjs/common';
import type { SwarmTicketsAnswer, SwarmTicketsRequest, WorkJob } from '@gleaner/protocol';
import type { HostActor } from '../http/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { Certificates } from './certificates.service.js';
import { SwarmFiles } from './swarm-files.service.js';
import { SwarmSigner } from './swarm-signer.js';

/** Permissions for single files. */
@Injectable()
export class SwarmTickets {
  constructor(
    private readonly certificates: Certificates,
    private readonly files: SwarmFiles,
    private readonly signer: SwarmSigner,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async answer(actor: HostActor, { peerId, manifestIds }: SwarmTicketsRequest): Promise<SwarmTicketsAnswer> {
    await this.certificates.requireOwn(actor.hostId, peerId);
    const files = await this.files.findAll(actor.hostId, manifestIds);
    const wanted = [...new Set(manifestIds)];
    await this.files.prolong(actor.hostId, files);
    return {
      tickets: wanted.filter((id) => files.has(id)).map((id) => this.signer.ticket(peerId, id)),
      refused: wanted
        .filter((id) => !files.has(id))
        .map((manifestId) => ({
          manifestId,
          reason: 'no open task of this host, and no replica that it was offered, needs it',
        })),
    };
  }

  /** The jobs of a work answer, their inputs with tickets; without them where the peer id is not the host's. */
  async addTo(jobs: readonly WorkJob[], hostId: string, peerId: string): Promise<readonly WorkJob[]> {
    try {
      if (!(await this.certificates.isOwn(hostId, peerId))) return jobs;
    } catch (error) {
      // Work must go on without the swarm.
      this.logger.warn({ event: 'swarm-tickets-failed', hostId, err: error });
      return jobs;
    }
    return jobs.map((job) => ({
      ...job,
      inputs: Object.fromEntries(
        Object.entries(job.inputs).map(([name, input]) => [
          name,
          { ...input, swarmTicket: this.signer.ticket(peerId, input.manifestId) },
        ]),
      ),
    }));
  }
}
