import { setTimeout as delay } from 'node:timers/promises';
import {
  attachedHost,
  type AttachedHost,
  heartbeatResponse,
  type ResultReport,
  workResponse,
  type WorkResponse,
} from '@gleaner/protocol';
import type { Random } from '../../bench/fuzz-sandbox-random.js';
import { RUNTIME } from '../../support/index.js';
import { bytesOf, heldTask, honestReport, kindOf, reportOf, type HeldTask } from './science.js';
import type { World } from './world.js';

/** What the coordinators said they accepted, by task. */
export type Accepted = Map<string, ResultReport>;

export interface VolunteerOptions {
  /** Whose it is; nobody's where null. */
  readonly token: string | null;
  readonly address: string;
  readonly random: Random;
  readonly accepted: Accepted;
}

const CORES = 4;

/** A host that does what hosts may do, and what they should not. */
export class Volunteer {
  private attached: AttachedHost | undefined;
  private isAttached = false;
  /** Its owner has deleted their account. */
  private isAbandoned = false;
  private readonly held = new Map<string, HeldTask>();
  /** Tasks that it has had an answer for. */
  private readonly done = new Map<string, HeldTask | undefined>();
  private readonly sent: ResultReport[] = [];
  private readonly wanted = new Map<string, string>();

  constructor(
    private readonly world: World,
    private readonly options: VolunteerOptions,
  ) {}

  async attach(): Promise<void> {
    const { token, address } = this.options;
    const { status, text, body } = await this.world.call('POST', '/v1/hosts', {
      token: token ?? undefined,
      address,
      body: { host: { name: 'host', kind: 'agent', cores: CORES, memoryMiB: 8192 } },
    });
    this.isAbandoned = status === 401 && token !== null;
    if (this.isAbandoned) return;
    if (status !== 201) throw new Error(`no host could be attached: ${status} ${text}`);
    this.attached = attachedHost.parse(body);
    this.isAttached = true;
  }

  get hostId(): string {
    return this.attached?.hostId ?? '0';
  }

  /** Its host token; one that nobody has before it is attached. */
  get secret(): string {
    return this.attached?.secret ?? 'gln_nobody';
  }

  get isAnonymous(): boolean {
    return this.options.token === null;
  }

  /** One of the things that hosts do. */
  async act(): Promise<void> {
    const { random } = this.options;
    if (this.isAbandoned) return delay(random.int(30));
    if (!this.isAttached) return this.attach();
    const dice = random.int(100);
    if (dice < 60) await this.work(random.int(5), this.someReports());
    else if (dice < 66)
      await Promise.all([this.work(2, this.someReports()), this.work(2, this.someReports())]);
    else if (dice < 74) await this.upload();
    else if (dice < 84) await this.giveBack();
    else if (dice < 86) await this.leave();
    else if (dice < 88) await this.meddle();
    else if (dice < 89) await this.detach();
    else await delay(random.int(30));
  }

  /** Does honestly what it can. @returns tasks that it was given or has reported */
  async doItsPart(): Promise<number> {
    const reports = [...this.held.values()].map((task) => honestReport(task));
    await this.work(32, reports);
    await this.uploadAll();
    return reports.length + this.held.size;
  }

  async work(maxTasks: number, reports: readonly ResultReport[]): Promise<void> {
    this.sent.push(...reports);
    const answer = await this.call('/v1/work', {
      protocol: 1,
      runtimeVersions: [RUNTIME],
      reports,
      ...(maxTasks > 0 && { request: { maxTasks, memoryMiB: 4096, cores: CORES } }),
    });
    if (!answer) return;
    const response = workResponse.parse(answer);
    this.noteReports(reports, response);
    const names = new Map(response.jobs.map(({ jobId, name }) => [jobId, name]));
    for (const task of response.tasks) {
      this.held.set(task.taskId, heldTask(task, kindOf(names.get(task.jobId) ?? '')));
    }
    this.noteWanted(response.outputsWanted);
  }

  private noteReports(reports: readonly ResultReport[], response: WorkResponse): void {
    for (const [at, { taskId, status, reason }] of response.reports.entries()) {
      const report = reports[at];
      if (status === 'retry' || !report) continue;
      this.done.set(taskId, this.held.get(taskId) ?? this.done.get(taskId));
      this.held.delete(taskId);
      if (status !== 'accepted') continue;
      if (this.options.accepted.has(taskId)) this.world.fault(`${taskId} was accepted twice ${reason ?? ''}`);
      this.options.accepted.set(taskId, report);
    }
  }

  private noteWanted(outputs: WorkResponse['outputsWanted']): void {
    this.wanted.clear();
    for (const { taskId, uploadUrl } of outputs) this.wanted.set(taskId, uploadUrl);
  }

  private someReports(): ResultReport[] {
    const { random } = this.options;
    const reports: ResultReport[] = [];
    for (const task of this.held.values()) if (random.chance(70)) reports.push(this.aReport(task));
    // Again, or something else for the same task.
    if (this.sent.length > 0 && random.chance(20)) reports.push(random.pick(this.sent));
    const [task] = this.held.values();
    if (task && random.chance(10)) reports.push(this.aReport(task));
    return reports.slice(0, 64);
  }

  /** Mostly honest. No two lies are equal, so that none is ever agreed on. */
  private aReport(task: HeldTask): ResultReport {
    const { random } = this.options;
    const dice = random.int(100);
    const bytes = Buffer.from(`{"n":${task.n},"lie":"${task.taskId}-${random.int(1e9)}"}\n`);
    if (dice < 72) {
      return honestReport(task, { withheld: random.chance(50), trapCycles: 10 + random.int(5) });
    }
    if (dice < 82)
      return reportOf(task, { outcome: 'ok', cycles: '999', bytes, withheld: random.chance(30) });
    if (dice < 86) return reportOf(task, { outcome: 'trap', trapKind: 'unreachable', cycles: '3' });
    if (dice < 92) return reportOf(task, { outcome: 'infrastructure', cycles: '0', bytes });
    if (dice < 96) return reportOf(task, { outcome: 'ok', cycles: '7', bytes, name: 'undeclared' });
    if (dice < 99) return { ...honestReport(task), digest: '0'.repeat(64) };
    // Faster than any core.
    return reportOf(task, { outcome: 'ok', cycles: String(10n ** 17n), bytes });
  }

  private async upload(): Promise<void> {
    const { random } = this.options;
    const [asked] = this.wanted;
    if (!asked) return this.work(0, []);
    const [taskId, url] = asked;
    const task = this.done.get(taskId);
    const bytes = (task && bytesOf(task)) ?? Buffer.from('nothing');
    const body = random.chance(80) ? bytes : Buffer.from(`nonsense ${random.int(1e9)}`);
    const times = random.chance(20) ? 2 : 1;
    await Promise.all(Array.from({ length: times }, () => this.put(url, body)));
  }

  private async uploadAll(): Promise<void> {
    for (const [taskId, url] of this.wanted) {
      const task = this.done.get(taskId);
      const bytes = task && bytesOf(task);
      if (bytes) await this.put(url, bytes);
    }
  }

  /** Says what it computes, and returns some of it. */
  private async giveBack(): Promise<void> {
    const { random } = this.options;
    const returned = [...this.held.keys()].filter(() => random.chance(20));
    await this.beat(returned, false);
    // Some forget what they returned, others report it nevertheless.
    if (random.chance(50)) for (const taskId of returned) this.held.delete(taskId);
  }

  /** Returns everything, and may report it nevertheless. */
  private async leave(): Promise<void> {
    await this.beat([], true);
  }

  private async beat(returned: readonly string[], leaving: boolean): Promise<void> {
    const running = [...this.held.keys()].filter((taskId) => !returned.includes(taskId));
    const body = { running: running.map((taskId) => ({ taskId })), returned, leaving };
    const answer = await this.call('/v1/heartbeat', body);
    if (answer === null) return;
    const { tasks } = heartbeatResponse.parse(answer);
    if (tasks.length !== running.length) this.world.fault(`${running.length} tasks, ${tasks.length} answers`);
  }

  /** Reports somebody else's task, and uploads what nobody asked for. */
  private async meddle(): Promise<void> {
    const { random, accepted } = this.options;
    const [taskId] = [...accepted.keys()].slice(random.int(Math.max(1, accepted.size)));
    if (taskId === undefined) return;
    const report = accepted.get(taskId);
    if (report && !this.done.has(taskId)) await this.work(0, [report]);
    await this.put(`/v1/tasks/${taskId}/outputs/stdout`, Buffer.from('meddling'));
  }

  private async detach(): Promise<void> {
    await this.world.call('DELETE', `/v1/hosts/${this.hostId}`, { token: this.secret });
    this.isAttached = false;
    this.wanted.clear();
    // Another host of the same account may report what this one has computed.
    if (!this.isAnonymous) return;
    this.held.clear();
    this.sent.length = 0;
  }

  private async put(path: string, body: Buffer): Promise<void> {
    const { address } = this.options;
    await this.world.call('PUT', path, { token: this.secret, address, body });
  }

  /** The answer's body; null where there is none. */
  private async call(path: string, body: object): Promise<unknown> {
    const { address } = this.options;
    const answer = await this.world.call('POST', path, { token: this.secret, address, body });
    if (answer.status === 200) return answer.body;
    // An operator, or whoever claimed it, has detached it.
    if (answer.status === 401) this.isAttached = false;
    else if (answer.status !== 0) this.world.fault(`${path}: ${answer.status} ${answer.text}`);
    return null;
  }
}
