import { join } from 'node:path';
import {
  blobLocation,
  signedTicket,
  SWARM_LIMITS,
  swarmTicketsAnswer,
  type SignedTicket,
} from '@gleaner/protocol';
import type { BlobLocation } from '@gleaner/swarm';
import { z } from 'zod';
import type { CoordinatorClient } from '../coordinator-client.js';
import { StateFile } from './state-file.js';

/** Files shared at the same time; a link has channels for 64. */
export const MAX_SHARED_FILES = 60;
/** Of these so many at most stay because they are promised, however long ago they were used. */
const MAX_PROMISED = 15;
/** A ticket is renewed when less than this is left of it. */
const RENEW_BEFORE_MS = 3600_000;
/** A ticket that was refused is not asked for again before this. */
const REFUSED_FOR_MS = 600_000;

const sharedFile = z.strictObject({
  location: blobLocation,
  ticket: signedTicket,
  /** No task of this host has needed it: it is kept for others. */
  isReplica: z.boolean().default(false),
  /** The coordinator counts on it: this host has taken up an offer to keep chunks of it. */
  isPromised: z.boolean().default(false),
});
export type TicketedFile = z.infer<typeof sharedFile>;
/** What it takes to share a file. */
export type FileTicket = Pick<TicketedFile, 'location' | 'ticket'>;

/** Which files this host may share, with their tickets; kept over restarts. The last used come last. */
export class SharedFiles {
  readonly #files = new Map<string, TicketedFile>();
  /** By the clock that nobody can set. */
  readonly #refusedUntilMs = new Map<string, number>();
  readonly #file: StateFile<TicketedFile[]>;

  private constructor(
    private readonly client: CoordinatorClient,
    readonly peerId: string,
    directory: string,
  ) {
    this.#file = new StateFile(join(directory, 'files.json'), z.array(sharedFile).max(MAX_SHARED_FILES));
  }

  static async open(client: CoordinatorClient, peerId: string, directory: string): Promise<SharedFiles> {
    const files = new SharedFiles(client, peerId, directory);
    for (const file of (await files.#file.read()) ?? []) files.#files.set(file.location.manifestId, file);
    return files;
  }

  /** Those whose ticket is valid. */
  get all(): TicketedFile[] {
    return [...this.#files.values()].filter(({ ticket }) => this.#leftMs(ticket) > 0);
  }

  /** Whether others count on this host to keep chunks of the file. */
  isPromised(manifestId: string): boolean {
    return this.#files.get(manifestId)?.isPromised ?? false;
  }

  /** How many have a ticket of the peer that this host was before. */
  get outdated(): number {
    return [...this.#files.values()].filter(({ ticket }) => ticket.body.peerId !== this.peerId).length;
  }

  /** Refusals that are remembered: of the last ten minutes in which tickets were asked for. */
  get refusals(): number {
    return this.#refusedUntilMs.size;
  }

  /** Files of which the host keeps chunks for others alone. */
  get replicas(): BlobLocation[] {
    return [...this.#files.values()].filter(({ isReplica }) => isReplica).map(({ location }) => location);
  }

  /** Adds a file, or a newer ticket; what a task has needed is no replica. Returns the files that had to make room. */
  async add(
    location: BlobLocation,
    ticket: SignedTicket,
    { isReplica = false }: { readonly isReplica?: boolean } = {},
  ): Promise<string[]> {
    const { blobId, manifestId, sizeBytes, manifestUrl, contentUrl } = location;
    const known = this.#files.get(manifestId);
    const newest = known && this.#leftMs(known.ticket) > this.#leftMs(ticket) ? known.ticket : ticket;
    this.#files.delete(manifestId);
    const plain = { blobId, manifestId, sizeBytes, manifestUrl, contentUrl };
    const isStillReplica = isReplica && (known?.isReplica ?? true);
    const isPromised = isReplica || (known?.isPromised ?? false);
    this.#files.set(manifestId, { location: plain, ticket: newest, isReplica: isStillReplica, isPromised });
    const dropped: string[] = [];
    while (this.#files.size > MAX_SHARED_FILES) {
      const leaving = this.#firstToLeave();
      this.#files.delete(leaving);
      dropped.push(leaving);
    }
    const isChanged = known?.isReplica !== isStillReplica || known.isPromised !== isPromised;
    if (known?.ticket.sig !== newest.sig || isChanged) await this.#save();
    return dropped;
  }

  async remove(manifestId: string): Promise<void> {
    if (this.#files.delete(manifestId)) await this.#save();
  }

  /**
   * A ticket for the file: the one at hand, else the coordinator's. Undefined when it refuses.
   *
   * @throws {CoordinatorError} when the coordinator is away
   */
  async ticketFor(location: BlobLocation, signal: AbortSignal): Promise<SignedTicket | undefined> {
    const { manifestId } = location;
    const atHand = [location.swarmTicket, this.#files.get(manifestId)?.ticket].find(
      (ticket) => ticket && this.#leftMs(ticket) > 0,
    );
    if (atHand) return atHand;
    if (performance.now() < (this.#refusedUntilMs.get(manifestId) ?? 0)) return undefined;
    const [ticket] = await this.#request([manifestId], signal);
    return ticket;
  }

  /**
   * Renews tickets that will run out soon, or are those of the peer that this host was before; some at a time.
   *
   * @returns files with a new ticket, and files that may not be shared any longer
   * @throws {CoordinatorError} when the coordinator is away
   */
  async renew(signal: AbortSignal): Promise<{ renewed: TicketedFile[]; ended: string[] }> {
    const due = [...this.#files.values()]
      .filter(({ ticket }) => this.#leftMs(ticket) < RENEW_BEFORE_MS)
      .slice(0, SWARM_LIMITS.manifestsPerTicketCall);
    const renewed: TicketedFile[] = [];
    const ended: string[] = [];
    if (due.length === 0) return { renewed, ended };
    const manifestIds = due.map(({ location }) => location.manifestId);
    const tickets = new Map(
      (await this.#request(manifestIds, signal)).map((ticket) => [ticket.body.manifestId, ticket]),
    );
    for (const file of due) {
      const { location, ticket: old } = file;
      const ticket = tickets.get(location.manifestId);
      if (ticket) {
        this.#files.set(location.manifestId, { ...file, ticket });
        renewed.push({ ...file, ticket });
      } else if (this.#leftMs(old) <= 0) {
        this.#files.delete(location.manifestId);
        ended.push(location.manifestId);
      }
    }
    await this.#save();
    return { renewed, ended };
  }

  /** The one that was used longest ago; of too many promised ones, the first of these. */
  #firstToLeave(): string {
    const files = [...this.#files.entries()];
    const promised = files.filter(([, { isPromised }]) => isPromised);
    const [first] =
      promised.length > MAX_PROMISED ? promised : files.filter((file) => !promised.includes(file));
    if (!first) throw new Error('none of the files can make room');
    return first[0];
  }

  async #request(manifestIds: readonly string[], signal: AbortSignal): Promise<SignedTicket[]> {
    const request = { peerId: this.peerId, manifestIds };
    const { tickets, refused } = await this.client.postJson(
      '/v1/swarm/tickets',
      request,
      swarmTicketsAnswer,
      signal,
    );
    const nowMs = performance.now();
    for (const [manifestId, untilMs] of this.#refusedUntilMs)
      if (untilMs <= nowMs) this.#refusedUntilMs.delete(manifestId);
    for (const { manifestId } of refused) this.#refusedUntilMs.set(manifestId, nowMs + REFUSED_FOR_MS);
    return tickets;
  }

  /** Nothing of a ticket of the peer that this host was before. */
  #leftMs({ body: { peerId, exp } }: SignedTicket): number {
    return peerId === this.peerId ? exp * 1000 - Date.now() : 0;
  }

  async #save(): Promise<void> {
    // What cannot be kept is asked for again after a restart.
    await this.#file.write([...this.#files.values()]).catch(() => undefined);
  }
}
