import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../config/index.js';
import type { Actor } from './actor.js';
import { callerNetwork } from './caller-network.js';
import { DomainError } from './domain-error.js';

/** Streams of events that one account may have open here at a time. */
export const STREAMS_PER_ACCOUNT = 32;
const RETRY_AFTER_SECONDS = 30;

/** Keeps one caller from taking all streams of events. */
@Injectable()
export class StreamSlots {
  private readonly open = new Map<string, number>();

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Takes a slot until the reply is closed, or throws. To be called before anything is sent. */
  hold(request: FastifyRequest, reply: FastifyReply, actor: Actor | null): void {
    const network = `network ${callerNetwork(request)}`;
    this.check(network, this.config.streamsPerNetwork, 'network');
    if (actor) this.check(`account ${actor.accountId}`, STREAMS_PER_ACCOUNT, 'account');
    const callers = [network, ...(actor ? [`account ${actor.accountId}`] : [])];
    for (const caller of callers) this.open.set(caller, (this.open.get(caller) ?? 0) + 1);
    const release = (): void => {
      for (const caller of callers) this.release(caller);
    };
    // It may have left while it was found out what it may see.
    if (reply.raw.closed) release();
    else reply.raw.once('close', release);
  }

  private check(caller: string, limit: number, kind: string): void {
    if ((this.open.get(caller) ?? 0) < limit) return;
    throw new DomainError(
      'rate-limited',
      `This ${kind} has ${limit} streams of events open already: close one, or ask for the job itself every few seconds.`,
      { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } },
    );
  }

  private release(caller: string): void {
    const left = (this.open.get(caller) ?? 0) - 1;
    if (left > 0) this.open.set(caller, left);
    else this.open.delete(caller);
  }
}
