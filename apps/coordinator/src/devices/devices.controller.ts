import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  approvedDevice,
  approveDevice,
  attachedHost,
  deviceCode,
  redeemDeviceCode,
  requestDeviceCode,
  typedUserCode,
  waitingDevice,
  type ApprovedDevice,
  type AttachedHost,
  type DeviceCode,
  type WaitingDevice,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CONFIG, type Config } from '../config/index.js';
import {
  callerNetwork,
  CurrentActor,
  knownCallerNetwork,
  Public,
  publicUrl,
  type Actor,
} from '../http/index.js';
import { DevicesService } from './devices.service.js';

/** The page on which people approve hosts. */
const PAGE = '/activate';

@ApiTags('hosts')
@Controller('v1/device')
export class DevicesController {
  constructor(
    private readonly devices: DevicesService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post('code')
  @Public()
  @ApiCreatedResponse({ standardSchema: deviceCode })
  async requestDeviceCode(
    @Body({ schema: requestDeviceCode }) body: z.infer<typeof requestDeviceCode>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DeviceCode> {
    void reply.header('cache-control', 'no-store');
    const begun = await this.devices.begin(body.host, knownCallerNetwork(request, this.config));
    const verificationUri = publicUrl(this.config, request) + PAGE;
    return {
      ...begun,
      verificationUri,
      verificationUriComplete: `${verificationUri}?code=${begun.userCode}`,
    };
  }

  @Post('token')
  @HttpCode(200)
  @Public()
  @ApiOkResponse({ standardSchema: attachedHost })
  async redeemDeviceCode(
    @Body({ schema: redeemDeviceCode }) body: z.infer<typeof redeemDeviceCode>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AttachedHost> {
    void reply.header('cache-control', 'no-store');
    const attachment = await this.devices.redeem(body.deviceCode, callerNetwork(request));
    return { ...attachment, coordinator: { name: this.config.name, url: publicUrl(this.config, request) } };
  }

  /** For the person who is to approve it: codes of others are shown to nobody who does not have them. */
  @Get(':userCode')
  @ApiOkResponse({ standardSchema: waitingDevice })
  async getWaitingDevice(
    @CurrentActor() actor: Actor,
    @Param('userCode', { schema: typedUserCode }) userCode: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WaitingDevice> {
    void reply.header('cache-control', 'no-store');
    return await this.devices.waiting(actor, userCode, knownCallerNetwork(request, this.config));
  }

  @Post('approve')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: approvedDevice })
  async approveDevice(
    @CurrentActor() actor: Actor,
    @Body({ schema: approveDevice }) body: z.infer<typeof approveDevice>,
  ): Promise<ApprovedDevice> {
    return await this.devices.decide(actor, body.userCode, body.approve);
  }
}
