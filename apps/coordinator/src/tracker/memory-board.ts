import {
  NO_TRAFFIC,
  type Accusation,
  type FileTraffic,
  type HolderClaim,
  type OriginGrant,
  type PeerPlace,
} from '@gleaner/domain';
import {
  BOARD_KEEP_MS,
  BOARD_LIMITS,
  type AnnounceOutcome,
  type GrantRequest,
  type GrantView,
  type SwarmBoard,
  type SwarmFile,
  type SwarmMember,
} from './swarm-board.js';

interface Dated<T> {
  readonly value: T;
  readonly untilMs: number;
}

interface FileState {
  readonly members: Map<string, Dated<SwarmMember>>;
  readonly grants: Map<number, OriginGrant>;
  readonly offers: Map<string, Dated<HolderClaim>>;
}

interface HostState {
  readonly files: Map<string, Dated<SwarmFile>>;
  readonly traffic: Map<string, FileTraffic>;
  lastSeq: number;
}

interface Outstanding {
  readonly hostId: string;
  readonly bytes: number;
  readonly untilMs: number;
}

/** The board of a coordinator that is alone. */
export class MemoryBoard implements SwarmBoard {
  private readonly files: Keeper<FileState>;
  private readonly hosts: Keeper<HostState>;
  private readonly accusations: Keeper<Map<string, Accusation>>;
  private readonly accused: Keeper<Map<string, number>>;
  /** By file and chunk. */
  private readonly outstanding = new Map<string, Outstanding>();

  constructor(private readonly now: () => number = Date.now) {
    this.files = new Keeper(BOARD_LIMITS.files, now, () => ({
      members: new Map(),
      grants: new Map(),
      offers: new Map(),
    }));
    this.hosts = new Keeper(BOARD_LIMITS.hosts, now, () => ({
      files: new Map(),
      traffic: new Map(),
      lastSeq: -1,
    }));
    this.accusations = new Keeper(BOARD_LIMITS.hosts, now, () => new Map<string, Accusation>());
    this.accused = new Keeper(BOARD_LIMITS.hosts, now, () => new Map<string, number>());
  }

  announce(
    manifestId: string,
    member: SwarmMember,
    ttlOf: (outcome: AnnounceOutcome) => number,
  ): Promise<AnnounceOutcome> {
    const { members } = this.files.get(manifestId);
    dropExpired(members, this.now());
    const hadBefore = members.get(member.peerId)?.value.have ?? null;
    const peers = Math.min(members.size + (hadBefore ? 0 : 1), BOARD_LIMITS.membersPerFile);
    const untilMs = this.now() + ttlOf({ hadBefore, peers });
    put(members, member.peerId, { value: member, untilMs }, BOARD_LIMITS.membersPerFile);
    return Promise.resolve({ hadBefore, peers });
  }

  leave(manifestId: string, peerId: string): Promise<void> {
    this.files.get(manifestId).members.delete(peerId);
    return Promise.resolve();
  }

  findMember(manifestId: string, peerId: string): Promise<SwarmMember | null> {
    return Promise.resolve(alive(this.files.get(manifestId).members.get(peerId), this.now()) ?? null);
  }

  sample(manifestId: string, place: PeerPlace, each: number): Promise<SwarmMember[]> {
    const members = this.members(manifestId);
    const found = new Map<string, SwarmMember>();
    const kinds: ReadonlyArray<(member: SwarmMember) => boolean> = [
      ({ network }) => network !== null && network === place.network,
      ({ region }) => region !== null && region === place.region,
      () => true,
    ];
    for (const belongs of kinds) {
      for (const member of someOf(members.filter(belongs), each)) found.set(member.peerId, member);
    }
    return Promise.resolve([...found.values()]);
  }

  claims(manifestId: string): Promise<HolderClaim[]> {
    return Promise.resolve(this.members(manifestId).map(({ hostId, have }) => ({ hostId, have })));
  }

  decideGrants(
    { manifestId, hostId, chunkBytes, nowMs }: GrantRequest,
    decide: (view: GrantView) => ReadonlyMap<number, OriginGrant>,
  ): Promise<void> {
    const { grants } = this.files.get(manifestId);
    const view = { outstandingBytes: 0, ownOutstandingBytes: 0 };
    for (const [key, each] of this.outstanding) {
      if (each.untilMs <= nowMs) this.outstanding.delete(key);
      else {
        view.outstandingBytes += each.bytes;
        if (each.hostId === hostId) view.ownOutstandingBytes += each.bytes;
      }
    }
    for (const [chunk, grant] of decide({ ...view, grantOf: (each) => grants.get(each) })) {
      grants.set(chunk, grant);
      this.outstanding.set(`${manifestId} ${chunk}`, {
        hostId,
        bytes: chunkBytes,
        untilMs: grant.untilMs,
      });
    }
    return Promise.resolve();
  }

  changeGrants(
    { manifestId, chunks, hostId, chunkBytes }: GrantRequest,
    change: (grant: OriginGrant) => OriginGrant,
  ): Promise<void> {
    const { grants } = this.files.get(manifestId);
    for (const chunk of chunks) {
      const before = grants.get(chunk);
      if (before?.hostId !== hostId) continue;
      const grant = change(before);
      grants.set(chunk, grant);
      const key = `${manifestId} ${chunk}`;
      if (grant.stage === 'fetched') this.outstanding.delete(key);
      else this.outstanding.set(key, { hostId, bytes: chunkBytes, untilMs: grant.untilMs });
    }
    return Promise.resolve();
  }

  accuse(peerId: string, accusation: Accusation, keepMs: number): Promise<Accusation[]> {
    const against = this.accusations.get(peerId);
    for (const [personId, { atMs }] of against) if (atMs + keepMs <= this.now()) against.delete(personId);
    put(against, accusation.personId, accusation, BOARD_LIMITS.accusationsPerPeer);
    return Promise.resolve([...against.values()]);
  }

  countAccused(personId: string, peerId: string, keepMs: number): Promise<number> {
    const accused = this.accused.get(personId);
    for (const [peer, untilMs] of accused) if (untilMs <= this.now()) accused.delete(peer);
    if (!accused.has(peerId)) put(accused, peerId, this.now() + keepMs, BOARD_LIMITS.accusationsPerPeer);
    return Promise.resolve(accused.size);
  }

  entitle(hostId: string, file: SwarmFile, ttlMs: number): Promise<void> {
    const { files } = this.hosts.get(hostId);
    put(files, file.manifestId, { value: file, untilMs: this.now() + ttlMs }, BOARD_LIMITS.filesPerHost);
    return Promise.resolve();
  }

  findEntitlement(hostId: string, manifestId: string): Promise<SwarmFile | null> {
    return Promise.resolve(alive(this.hosts.get(hostId).files.get(manifestId), this.now()) ?? null);
  }

  offer(manifestId: string, claim: HolderClaim, ttlMs: number): Promise<void> {
    const { offers } = this.files.get(manifestId);
    put(offers, claim.hostId, { value: claim, untilMs: this.now() + ttlMs }, BOARD_LIMITS.offersPerFile);
    return Promise.resolve();
  }

  offers(manifestId: string): Promise<HolderClaim[]> {
    const { offers } = this.files.get(manifestId);
    dropExpired(offers, this.now());
    return Promise.resolve([...offers.values()].map(({ value }) => value));
  }

  takeReport(hostId: string, seq: number): Promise<boolean> {
    const host = this.hosts.get(hostId);
    if (seq <= host.lastSeq) return Promise.resolve(false);
    host.lastSeq = seq;
    return Promise.resolve(true);
  }

  updateTraffic(
    hostId: string,
    manifestId: string,
    update: (before: FileTraffic) => FileTraffic,
  ): Promise<{ before: FileTraffic; after: FileTraffic }> {
    const { traffic } = this.hosts.get(hostId);
    const before = traffic.get(manifestId) ?? NO_TRAFFIC;
    const after = update(before);
    put(traffic, manifestId, after, BOARD_LIMITS.filesPerHost);
    return Promise.resolve({ before, after });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private members(manifestId: string): SwarmMember[] {
    const { members } = this.files.get(manifestId);
    dropExpired(members, this.now());
    return [...members.values()].map(({ value }) => value);
  }
}

/** States made when first asked for; those that were not touched for {@link BOARD_KEEP_MS}, or beyond `most`, are forgotten. */
class Keeper<T> {
  private readonly states = new Map<string, Dated<T>>();

  constructor(
    private readonly most: number,
    private readonly now: () => number,
    private readonly make: () => T,
  ) {}

  get(key: string): T {
    const value = alive(this.states.get(key), this.now()) ?? this.make();
    put(this.states, key, { value, untilMs: this.now() + BOARD_KEEP_MS }, this.most);
    return value;
  }
}

function alive<T>(dated: Dated<T> | undefined, nowMs: number): T | undefined {
  return dated && dated.untilMs > nowMs ? dated.value : undefined;
}

/** Puts an entry last; the first leave where there are more than `most`. */
function put<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}

function dropExpired<K, T>(map: Map<K, Dated<T>>, nowMs: number): void {
  for (const [key, { untilMs }] of map) if (untilMs <= nowMs) map.delete(key);
}

/** Up to `count` of the items from a random place on: the tracker draws among them once more. */
function someOf<T>(items: readonly T[], count: number): T[] {
  const from = items.length <= count ? 0 : Math.floor(Math.random() * items.length);
  return [...items.slice(from, from + count), ...items.slice(0, Math.max(0, from + count - items.length))];
}
