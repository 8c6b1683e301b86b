import { Body, Controller, HttpCode, Post, Put, Req } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { changeEmail, changePassword, requestEmailChange } from '@gleaner/protocol';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { callerNetwork, CurrentActor, type Actor } from '../http/index.js';
import { CredentialsService } from './credentials.service.js';

@ApiTags('accounts')
@Controller('v1/accounts/me')
export class CredentialsController {
  constructor(private readonly credentials: CredentialsService) {}

  /** Signs the person's other browsers out. */
  @Put('password')
  @HttpCode(204)
  @ApiNoContentResponse()
  async changeMyPassword(
    @CurrentActor() actor: Actor,
    @Body({ schema: changePassword }) body: z.infer<typeof changePassword>,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.credentials.changePassword(actor, body.current, body.password, callerNetwork(request));
  }

  /** Mails a code to the new address. */
  @Post('email-change')
  @HttpCode(202)
  @ApiAcceptedResponse()
  async requestMyEmailChange(
    @CurrentActor() actor: Actor,
    @Body({ schema: requestEmailChange }) body: z.infer<typeof requestEmailChange>,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.credentials.requestEmailChange(actor, body.current, body.email, callerNetwork(request));
  }

  /** With the code that came to the new address; tells the old one, and signs the person's other browsers out. */
  @Put('email')
  @HttpCode(204)
  @ApiNoContentResponse()
  async changeMyEmail(
    @CurrentActor() actor: Actor,
    @Body({ schema: changeEmail }) body: z.infer<typeof changeEmail>,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.credentials.changeEmail(actor, body.code, callerNetwork(request));
  }
}
