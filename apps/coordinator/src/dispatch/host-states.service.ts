import { Injectable } from '@nestjs/common';
import type { HostState } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { Batcher, hotPool, PreparedStatement, textArray, tokenArray } from '../database/index.js';

/** Hosts wait longer between two; one that does not is not heard. */
const FLOOR_SECONDS = 5;

const noteStates = new PreparedStatement<never>(
  'note-host-states',
  `UPDATE host h SET said_phase = s.phase, said_reason = s.reason, said_at = now(), last_seen_at = now()
     FROM unnest($1::bigint[], $2::text[], $3::text[]) AS s(host_id, phase, reason)
    WHERE h.id = s.host_id AND h.detached_at IS NULL AND (h.said_at IS NULL OR s.phase = 'stopped' OR h.said_at < now() - interval '${FLOOR_SECONDS} seconds')`,
);

interface Said extends HostState {
  readonly hostId: string;
}

/** What hosts say of themselves, for their owners' eyes only: nothing is decided by it. */
@Injectable()
export class HostStates {
  private readonly notes: Batcher<Said, void>;

  constructor(private readonly dataSource: DataSource) {
    this.notes = new Batcher((said) => this.write(said), {
      maxItems: 256,
      windowMs: 2,
      intervalMs: 20,
      concurrency: 1,
      maxWaiting: 20_000,
    });
  }

  async note(hostId: string, state: HostState | undefined): Promise<void> {
    if (state) await this.notes.submit({ hostId, ...state });
  }

  private async write(said: readonly Said[]): Promise<void[]> {
    // What a host said last in a batch is how it is.
    const hosts = [...new Map(said.map((each) => [each.hostId, each])).values()].toSorted(
      (a, b) => Number(a.hostId) - Number(b.hostId),
    );
    await noteStates.run(hotPool(this.dataSource), [
      tokenArray(hosts.map(({ hostId }) => hostId)),
      tokenArray(hosts.map(({ phase }) => phase)),
      textArray(hosts.map(({ reason }) => reason)),
    ]);
    return said.map(() => undefined);
  }
}
