import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '@nestjs/swagger';
import {
  account,
  requestPasswordReset,
  resetPassword,
  session,
  signIn,
  signUp,
  type Account,
  type Session,
  type SignIn,
  type SignUp,
} from '@gleaner/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  callerNetwork,
  clearSessionCookie,
  CurrentActor,
  MaybeActor,
  OptionalToken,
  Public,
  PublicReads,
  setSessionCookie,
  type Actor,
} from '../http/index.js';
import { browserName } from './browser-name.js';
import { SignInService, type OpenedSession } from './sign-in.service.js';

/** Sessions of browsers. Programs use tokens. */
@ApiTags('sign-in')
@Controller('v1/session')
export class SignInController {
  constructor(private readonly signIns: SignInService) {}

  /** Who has signed in with this browser. */
  @Get()
  @OptionalToken()
  @PublicReads()
  @ApiOkResponse({ standardSchema: session })
  async getSession(
    @MaybeActor() actor: Actor | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    void reply.header('cache-control', 'no-store');
    return await this.signIns.sessionOf(actor);
  }

  @Post('sign-up')
  @Public()
  @ApiCreatedResponse({ standardSchema: account })
  async signUp(
    @Body({ schema: signUp }) body: SignUp,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Account> {
    return keep(request, reply, await this.signIns.signUp(body, callerNetwork(request), browserOf(request)));
  }

  @Post('sign-in')
  @HttpCode(200)
  @Public()
  @ApiOkResponse({ standardSchema: account })
  async signIn(
    @Body({ schema: signIn }) body: SignIn,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Account> {
    return keep(request, reply, await this.signIns.signIn(body, callerNetwork(request), browserOf(request)));
  }

  /** Exchanges the token of the request for a session of this browser. */
  @Post('token')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: account })
  async signInWithToken(
    @CurrentActor() actor: Actor,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Account> {
    return keep(request, reply, await this.signIns.signInWithToken(actor, browserOf(request)));
  }

  @Post('sign-out')
  @HttpCode(204)
  @OptionalToken()
  @ApiNoContentResponse()
  async signOut(
    @MaybeActor() actor: Actor | null,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.signIns.signOut(actor);
    clearSessionCookie(request, reply);
  }

  /** Mails a code if anybody has this address; the answer is always the same. */
  @Post('password-reset')
  @HttpCode(202)
  @Public()
  @ApiAcceptedResponse()
  requestPasswordReset(
    @Body({ schema: requestPasswordReset }) body: z.infer<typeof requestPasswordReset>,
    @Req() request: FastifyRequest,
  ): void {
    this.signIns.requestReset(body.email, callerNetwork(request));
  }

  @Post('password')
  @HttpCode(204)
  @Public()
  @ApiNoContentResponse()
  async resetPassword(
    @Body({ schema: resetPassword }) body: z.infer<typeof resetPassword>,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.signIns.resetPassword(body.code, body.password, callerNetwork(request));
  }
}

function keep(
  request: FastifyRequest,
  reply: FastifyReply,
  { account: person, secret }: OpenedSession,
): Account {
  setSessionCookie(request, reply, secret);
  void reply.header('cache-control', 'no-store');
  return person;
}

function browserOf(request: FastifyRequest): string {
  return browserName(request.headers['user-agent']);
}
