import { Injectable } from '@nestjs/common';
import type { FoundTeam, Team, TeamMember, TeamPage, TeamsQuery, UpdateTeam } from '@gleaner/protocol';
import { DataSource, In, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { holdCredit, personCredit, renameOnBoards } from '../credit/index.js';
import { isStatementTimeout, isUniqueViolation } from '../database/index.js';
import {
  decodeCursor,
  DomainError,
  ID_PATTERN,
  idFromCursor,
  NotFoundError,
  toPage,
  type Actor,
  type Page,
} from '../http/index.js';
import { JoinPace } from './join-pace.js';
import { TeamMemberEntity } from './team-member.entity.js';
import { TeamEntity } from './team.entity.js';

/** Teams that one account may keep; when everybody has left one, it stays its last keeper's. */
const KEPT_TEAMS_MAX = 20;
const CYCLES_PATTERN = /^-?\d{1,60}$/;
/** A name that few of very many teams have is not looked for any longer than this. */
const LIST_MAX_MS = 1000;
const count = z.coerce.number().int();

const TEAM_SELECT = `
  SELECT t.id, t.name, t.description, t.created_at, t.keeper_id, k.name AS keeper_name,
         (SELECT count(*) FROM team_member m WHERE m.team_id = t.id) AS members,
         greatest(0, trunc(coalesce(c.cycles, 0)))::text AS cycles, greatest(0, coalesce(c.tasks, 0)) AS tasks
    FROM team t JOIN account k ON k.id = t.keeper_id LEFT JOIN team_credit c ON c.team_id = t.id`;

const teamRows = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    created_at: z.date(),
    keeper_id: z.string(),
    keeper_name: z.string(),
    members: count,
    cycles: z.string(),
    tasks: count,
  }),
);
const memberRows = z.array(
  z.object({ id: z.string(), name: z.string(), joined_at: z.date(), cycles: z.string() }),
);

/**
 * Teams and who is in them. Credit is never moved: each entry of the ledger names the team of its moment, in the statement
 * that grants it.
 */
@Injectable()
export class TeamsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly pace: JoinPace,
  ) {}

  /** Newest first; with `q` those that have it in their names. */
  async list({ cursor, limit, q }: TeamsQuery): Promise<TeamPage> {
    try {
      return await this.dataSource.transaction(async (manager) => {
        // Names are looked through one by one.
        await manager.query(`SET LOCAL statement_timeout = ${LIST_MAX_MS}`);
        const found: unknown = await manager.query(
          `${TEAM_SELECT} WHERE t.id < $1 AND ($2::text IS NULL OR position(lower($2) IN lower(t.name)) > 0)
            ORDER BY t.id DESC LIMIT $3`,
          [idFromCursor(cursor), q ?? null, limit + 1],
        );
        return { ...toPage(teamRows.parse(found), limit, present, ({ id }) => [id]), isCutShort: false };
      });
    } catch (error) {
      if (isStatementTimeout(error)) return { items: [], nextCursor: null, isCutShort: true };
      throw error;
    }
  }

  async get(teamId: string): Promise<Team> {
    return await find(this.dataSource.manager, teamId);
  }

  async ofAccount(accountId: string): Promise<Team | null> {
    const member = await this.dataSource.manager.findOneBy(TeamMemberEntity, { accountId });
    return member ? await this.get(member.teamId) : null;
  }

  async members(teamId: string, cursor: string | undefined, limit: number): Promise<Page<TeamMember>> {
    await this.get(teamId);
    const [cycles = null, id = null] =
      cursor === undefined ? [] : decodeCursor(cursor, [CYCLES_PATTERN, ID_PATTERN]);
    const rows = memberRows.parse(
      await this.dataSource.query(
        `SELECT member.id, member.name, member.joined_at, member.cycles::text FROM (
           SELECT a.id, a.name, m.joined_at, greatest(0, trunc(${personCredit('a.id')} - m.cycles_before)) AS cycles
             FROM team_member m JOIN account a ON a.id = m.account_id
            WHERE m.team_id = $1) member
          WHERE $2::numeric IS NULL OR member.cycles < $2 OR (member.cycles = $2 AND member.id > $3)
          -- The number: by its bare name the text would be sorted by.
          ORDER BY member.cycles DESC, member.id LIMIT $4`,
        [teamId, cycles, id, limit + 1],
      ),
    );
    return toPage(
      rows,
      limit,
      (row) => ({ id: row.id, name: row.name, joinedAt: row.joined_at.toISOString(), credit: row.cycles }),
      (row) => [row.cycles, row.id],
    );
  }

  async found(actor: Actor, facts: FoundTeam): Promise<Team> {
    requirePerson(actor);
    this.pace.take(actor);
    return await namedOnce(facts.name, () =>
      this.dataSource.transaction(async (manager) => {
        await lockMembership(manager, actor.accountId);
        await requireFewTeams(manager, actor.accountId);
        await lockTeams(manager, await teamsOf(manager, actor.accountId));
        await holdCredit(manager);
        const team = await manager.save(TeamEntity, { ...facts, keeperId: actor.accountId });
        await leaveCurrent(manager, actor.accountId);
        await enter(manager, actor.accountId, team.id);
        return await find(manager, team.id);
      }),
    );
  }

  async update(
    actor: Actor,
    teamId: string,
    changes: UpdateTeam,
    checkVersion: (current: Team) => void,
  ): Promise<Team> {
    requirePerson(actor);
    return await namedOnce(changes.name ?? '', () =>
      this.dataSource.transaction(async (manager) => {
        const [team] = await lockTeams(manager, [teamId]);
        if (!team) throw new NotFoundError(`team ${teamId}`);
        if (!actor.operator && team.keeperId !== actor.accountId) {
          throw new DomainError('forbidden', 'Only the keeper of the team may change it.');
        }
        checkVersion(await find(manager, teamId));
        const { name = team.name, description = team.description } = changes;
        await manager.update(TeamEntity, { id: teamId }, { name, description });
        await renameOnBoards(manager, 'teams', [teamId], name);
        return await find(manager, teamId);
      }),
    );
  }

  async join(actor: Actor, teamId: string): Promise<Team> {
    requirePerson(actor);
    return await this.dataSource.transaction(async (manager) => {
      await lockMembership(manager, actor.accountId);
      const current = await teamsOf(manager, actor.accountId);
      if (!current.includes(teamId)) {
        this.pace.take(actor);
        const teams = await lockTeams(manager, [teamId, ...current]);
        if (!teams.some(({ id }) => id === teamId)) throw new NotFoundError(`team ${teamId}`);
        await holdCredit(manager);
        await leaveCurrent(manager, actor.accountId);
        await enter(manager, actor.accountId, teamId);
      }
      return await find(manager, teamId);
    });
  }

  async leave(actor: Actor, teamId: string): Promise<void> {
    requirePerson(actor);
    await this.dataSource.transaction(async (manager) => {
      await lockMembership(manager, actor.accountId);
      const current = await teamsOf(manager, actor.accountId);
      if (!current.includes(teamId)) return;
      await lockTeams(manager, current);
      await leaveCurrent(manager, actor.accountId);
    });
  }

  /** Somebody deletes their account. */
  async leaveForGood(manager: EntityManager, accountId: string): Promise<void> {
    await lockMembership(manager, accountId);
    await lockTeams(manager, await teamsOf(manager, accountId));
    await leaveCurrent(manager, accountId);
  }
}

function requirePerson(actor: Actor): void {
  if (actor.hostId !== null || actor.anonymous) {
    throw new DomainError('forbidden', 'Teams are for people who have signed in.');
  }
}

/** Teams stay: without a bound one would found and leave them until no name is left. */
async function requireFewTeams(manager: EntityManager, accountId: string): Promise<void> {
  const kept = await manager.countBy(TeamEntity, { keeperId: accountId });
  if (kept < KEPT_TEAMS_MAX) return;
  throw new DomainError(
    'conflict',
    `You keep ${KEPT_TEAMS_MAX} teams: go back to one of them, and give it another name if you like.`,
  );
}

async function find(manager: EntityManager, teamId: string): Promise<Team> {
  const [row] = teamRows.parse(await manager.query(`${TEAM_SELECT} WHERE t.id = $1`, [teamId]));
  if (!row) throw new NotFoundError(`team ${teamId}`);
  return present(row);
}

/** Two tabs that join and leave at the same moment take turns, and with whoever deletes the account. */
async function lockMembership(manager: EntityManager, accountId: string): Promise<void> {
  const found = await manager.query<unknown[]>(
    'SELECT FROM account WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE',
    [accountId],
  );
  if (found.length === 0) throw new DomainError('unauthorised', 'The account has been deleted.');
}

/** None or one. */
async function teamsOf(manager: EntityManager, accountId: string): Promise<string[]> {
  const members = await manager.findBy(TeamMemberEntity, { accountId });
  return members.map(({ teamId }) => teamId);
}

/**
 * Who joins, leaves and changes a team takes turns, or it would be kept by somebody who leaves at the same moment. In the order of
 * their ids: keepers who change places would wait for each other. No stronger: grants refer to teams.
 */
async function lockTeams(manager: EntityManager, teamIds: readonly string[]): Promise<TeamEntity[]> {
  return await manager.find(TeamEntity, {
    where: { id: In(teamIds) },
    order: { id: 'ASC' },
    lock: { mode: 'for_no_key_update' },
  });
}

async function enter(manager: EntityManager, accountId: string, teamId: string): Promise<void> {
  await manager.query(
    `INSERT INTO team_member (account_id, team_id, cycles_before)
     VALUES ($1, $2, ${personCredit('$1::bigint')})`,
    [accountId, teamId],
  );
  // Somebody comes to a team that everybody had left.
  await manager.query(
    `UPDATE team t SET keeper_id = $1 WHERE t.id = $2
        AND NOT EXISTS (SELECT FROM team_member m WHERE m.team_id = t.id AND m.account_id = t.keeper_id)`,
    [accountId, teamId],
  );
}

/** The team stays, with what was earned for it; whoever has been in it longest keeps it when its keeper leaves. */
async function leaveCurrent(manager: EntityManager, accountId: string): Promise<void> {
  await manager.delete(TeamMemberEntity, { accountId });
  await manager.query(
    `UPDATE team t SET keeper_id = heir.account_id
       FROM (SELECT DISTINCT ON (m.team_id) m.team_id, m.account_id FROM team_member m
               JOIN team kept ON kept.id = m.team_id AND kept.keeper_id = $1
              ORDER BY m.team_id, m.joined_at, m.account_id) heir
      WHERE t.id = heir.team_id AND t.keeper_id = $1`,
    [accountId],
  );
}

async function namedOnce<T>(name: string, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (!isUniqueViolation(error, 'team_name')) throw error;
    throw new DomainError('already-exists', `There is a team "${name}" already.`, {
      errors: [{ pointer: '/name', detail: 'is taken' }],
    });
  }
}

function present(row: z.infer<typeof teamRows>[number]): Team {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    keeper: { id: row.keeper_id, name: row.keeper_name },
    members: row.members,
    credit: row.cycles,
    validTasks: row.tasks,
    createdAt: row.created_at.toISOString(),
  };
}
