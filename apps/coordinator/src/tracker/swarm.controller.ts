import { Body, Controller, HttpCode, Post, Req, UseInterceptors } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  originTicketsAnswer,
  originTicketsRequest,
  swarmAnnounce,
  swarmAnnounceAnswer,
  swarmCertificateAnswer,
  swarmCertificateRequest,
  swarmReplicasAnswer,
  swarmReplicasRequest,
  swarmTicketsAnswer,
  swarmTicketsRequest,
  swarmTrafficReport,
  type OriginTicketsAnswer,
  type OriginTicketsRequest,
  type SwarmAnnounce,
  type SwarmAnnounceAnswer,
  type SwarmCertificateAnswer,
  type SwarmCertificateRequest,
  type SwarmReplicasAnswer,
  type SwarmReplicasRequest,
  type SwarmTicketsAnswer,
  type SwarmTicketsRequest,
  type SwarmTrafficReport,
} from '@gleaner/protocol';
import type { FastifyRequest } from 'fastify';
import { CurrentHost, RequireHost, Unlimited, type HostActor } from '../http/index.js';
import { BoardAway } from './board-away.interceptor.js';
import { Certificates } from './certificates.service.js';
import { HostPace } from './host-pace.js';
import { OriginDesk } from './origin-desk.service.js';
import { Replicas } from './replicas.service.js';
import { SwarmSigner } from './swarm-signer.js';
import { SwarmTickets } from './swarm-tickets.service.js';
import { Tracker } from './tracker.service.js';
import { TrafficLedger } from './traffic-ledger.service.js';

/** What the hosts in the swarm ask of the coordinator. Each host has its own bound, since an account may have many. */
@ApiTags('swarm')
@Controller('v1/swarm')
@RequireHost()
@Unlimited()
@UseInterceptors(BoardAway)
export class SwarmController {
  constructor(
    private readonly certificates: Certificates,
    private readonly tickets: SwarmTickets,
    private readonly tracker: Tracker,
    private readonly origin: OriginDesk,
    private readonly replicas: Replicas,
    private readonly ledger: TrafficLedger,
    private readonly signer: SwarmSigner,
    private readonly pace: HostPace,
  ) {}

  /** Lets a peer id of the calling host into the swarm; asking again gives the same certificate until it nears its end. */
  @Post('certificate')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: swarmCertificateAnswer })
  async getSwarmCertificate(
    @CurrentHost() host: HostActor,
    @Body({ schema: swarmCertificateRequest }) body: SwarmCertificateRequest,
    @Req() request: FastifyRequest,
  ): Promise<SwarmCertificateAnswer> {
    this.pace.take(host);
    return {
      certificate: await this.certificates.issue(host, body.peerId),
      coordinatorKey: this.signer.coordinatorKey,
      seenAddress: request.ip,
    };
  }

  /** Tickets of files that open tasks of the calling host need. */
  @Post('tickets')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: swarmTicketsAnswer })
  async getSwarmTickets(
    @CurrentHost() host: HostActor,
    @Body({ schema: swarmTicketsRequest }) body: SwarmTicketsRequest,
  ): Promise<SwarmTicketsAnswer> {
    this.pace.take(host);
    return await this.tickets.answer(host, body);
  }

  /** The calling host shares a file: whom else it should know. */
  @Post('announce')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: swarmAnnounceAnswer })
  async announceToSwarm(
    @CurrentHost() host: HostActor,
    @Body({ schema: swarmAnnounce }) body: SwarmAnnounce,
    @Req() request: FastifyRequest,
  ): Promise<SwarmAnnounceAnswer> {
    this.pace.take(host);
    return await this.tracker.announce(host, request.ip, body);
  }

  /** Which chunks the calling host should fetch from the origin now. */
  @Post('origin-tickets')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: originTicketsAnswer })
  async getOriginTickets(
    @CurrentHost() host: HostActor,
    @Body({ schema: originTicketsRequest }) body: OriginTicketsRequest,
  ): Promise<OriginTicketsAnswer> {
    this.pace.take(host);
    return await this.origin.grant(host, body);
  }

  /** Chunks of open jobs that too few volunteers hold, for a host that has room for them. */
  @Post('replicas')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: swarmReplicasAnswer })
  async getSwarmReplicas(
    @CurrentHost() host: HostActor,
    @Body({ schema: swarmReplicasRequest }) body: SwarmReplicasRequest,
  ): Promise<SwarmReplicasAnswer> {
    this.pace.take(host);
    return await this.replicas.offer(host, body);
  }

  /** What moved since the last report. Sending the same report again counts once. */
  @Post('traffic')
  @HttpCode(204)
  @ApiNoContentResponse()
  async reportSwarmTraffic(
    @CurrentHost() host: HostActor,
    @Body({ schema: swarmTrafficReport }) body: SwarmTrafficReport,
  ): Promise<void> {
    this.pace.take(host);
    await this.ledger.report(host, body);
  }
}
