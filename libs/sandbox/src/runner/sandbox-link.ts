import type { SandboxReply, SandboxRequest } from './messages.js';

/** A running sandbox on the other side of a process's or worker's channel. */
export interface SandboxLink {
  send(request: SandboxRequest): void;
  /** Ends it at once, whatever it is doing. No event follows. */
  kill(): void;
  /** Stops and continues it where it is, or between steps where the platform cannot. */
  setStopped(isStopped: boolean): void;
  /** Whether the program should stay alive for it. */
  setHolding(isHolding: boolean): void;
}

export interface LinkEvents {
  onReply(reply: SandboxReply): void;
  /** It ended by itself, with the reason in words. */
  onEnd(reason: string): void;
}

export type OpenLink = (events: LinkEvents) => SandboxLink;
