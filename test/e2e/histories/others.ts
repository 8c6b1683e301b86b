import { setTimeout as delay } from 'node:timers/promises';
import { team } from '@gleaner/protocol';
import type { Random } from '../../bench/fuzz-sandbox-random.js';
import { JOB_KINDS } from './science.js';
import { anHourPasses, changeRows, sweepSomething } from './time.js';
import type { Volunteer } from './volunteer.js';
import type { World } from './world.js';

const MAX_PAUSE_MS = 60;
const MAX_TEAMS = 3;

/** Of whom at least so many stay. */
const PEOPLE_LEFT = 2;

export interface Person {
  readonly name: string;
  readonly token: string;
}

export interface OthersOptions {
  readonly random: Random;
  readonly volunteers: readonly Volunteer[];
  /** Those who may claim anonymous hosts, join teams and delete their account. */
  readonly people: readonly Person[];
  /** Of what is deleted nothing can be counted afterwards: not in every history. */
  readonly mayDelete: boolean;
  /** Whether an operator may approve what a stranger published. */
  readonly mayApprove: boolean;
}

/** Everybody who is no volunteer's host. */
export class Others {
  private readonly jobs: string[] = [];
  private readonly teams: string[] = [];
  private readonly people: Person[];
  private submitted = 0;

  constructor(
    private readonly world: World,
    private readonly options: OthersOptions,
  ) {
    this.people = [...options.people];
  }

  /** A job of the next kind. */
  async submit(): Promise<void> {
    const kind = JOB_KINDS[this.submitted % JOB_KINDS.length];
    this.submitted += 1;
    if (kind) this.jobs.push(await this.world.submit(kind));
  }

  /** Somebody submits a job, changes its state, or looks at it. */
  async dealWithJobs(): Promise<void> {
    const { random, mayDelete } = this.options;
    const token = this.world.tokenOf('operator');
    const job = `/v1/jobs/${random.pick(this.jobs)}`;
    const dice = random.int(100);
    if (dice < 25) await this.submit();
    else if (dice < 31) await this.world.call('POST', `${job}/cancel`, { token });
    else if (dice < 37 && mayDelete) await this.world.call('DELETE', job, { token });
    else if (dice < 50) await this.world.call('POST', `${job}/pause`, { token });
    else if (dice < 70) await this.world.call('POST', `${job}/resume`, { token });
    else await this.world.call('GET', `${job}${random.pick(['', '/results', '/output'])}`, { token });
    await this.pause();
  }

  /** An operator holds hosts, and lets them work again; now and then everything stands still for a moment. */
  async operate(): Promise<void> {
    const { random, volunteers, mayApprove } = this.options;
    const token = this.world.tokenOf('operator');
    const dice = random.int(100);
    if (dice < 3) {
      await this.world.call('PUT', '/v1/operator/dispatch-pause', { token, body: { reason: 'a moment' } });
      await this.pause();
      await this.world.call('DELETE', '/v1/operator/dispatch-pause', { token });
    } else if (dice < 4 && mayApprove) {
      await this.world.call('POST', '/v1/apps/unapproved/versions/1/approval', { token });
    } else {
      const { hostId } = random.pick(volunteers);
      const body = { reason: random.chance(40) ? 'it looks odd' : null };
      await this.world.call('PUT', `/v1/hosts/${hostId}/hold`, { token, body });
    }
    await this.pause();
  }

  /** People claim what was done anonymously, change teams, and go. */
  async socialise(): Promise<void> {
    const { random, volunteers } = this.options;
    const person = random.pick(this.people);
    const { token } = person;
    const dice = random.int(100);
    if (dice < 2) await this.depart(person);
    else if (dice < 25) {
      const { secret, isAnonymous } = random.pick(volunteers);
      if (isAnonymous) await this.world.call('POST', '/v1/accounts/me/claims', { token, body: { secret } });
    } else if (dice < 40 && this.teams.length < MAX_TEAMS) {
      const body = { name: `team ${random.int(1e9)}` };
      const answer = await this.world.call('POST', '/v1/teams', { token, body });
      if (answer.status === 201) this.teams.push(team.parse(answer.body).id);
    } else if (this.teams.length > 0) {
      const membership = `/v1/teams/${random.pick(this.teams)}/members/me`;
      await this.world.call(random.chance(70) ? 'PUT' : 'DELETE', membership, { token });
    }
    await this.pause();
  }

  /** At the same moment somebody still does something in their name. */
  private async depart({ name, token }: Person): Promise<void> {
    if (this.people.length <= PEOPLE_LEFT) return;
    const { random, volunteers } = this.options;
    const { secret } = random.pick(volunteers);
    const [deleted] = await Promise.all([
      this.world.call('DELETE', '/v1/accounts/me', { token, body: { name } }),
      this.world.call('POST', '/v1/accounts/me/claims', { token, body: { secret } }),
    ]);
    if (deleted.status !== 204) this.world.fault(`an account was not deleted: ${deleted.text}`);
    this.people.splice(
      this.people.findIndex((person) => person.token === token),
      1,
    );
  }

  /** Leases and times to upload end, and what sweeps do every 10 s happens now. */
  async passTime(): Promise<void> {
    const { random } = this.options;
    const dice = random.int(100);
    if (dice < 35) {
      await changeRows(this.world, 'lease', {
        set: "expires_at = now() - interval '1 second'",
        where: `(unit_id + ordinal + ${random.int(3)}) % 3 = 0`,
      });
    } else if (dice < 45) {
      await changeRows(this.world, 'work_unit', {
        set: "upload_until = now() - interval '1 second'",
        where: `upload_until IS NOT NULL AND (id + ${random.int(2)}) % 2 = 0`,
      });
    } else if (dice < 55) await anHourPasses(this.world);
    await sweepSomething(this.world);
    await this.pause();
  }

  private async pause(): Promise<void> {
    await delay(this.options.random.int(MAX_PAUSE_MS));
  }
}
