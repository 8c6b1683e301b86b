import { shareCores, type CoreGrant, type IdleDecision } from '@gleaner/domain';
import type { ComputeAllowance } from '@gleaner/worker-sdk';
import { z } from 'zod';
import type { LogEvent } from '../agent-log.js';
import type { DataDirectory } from '../data-directory.js';
import type { Project } from '../projects/project.js';
import { readStateFile } from '../state-files.js';

const NAME = 'shares.json';
/** Debts outlive the agent, or a machine that is switched off every evening would serve the same project every morning. */
const SAVE_EVERY_MS = 60_000;

const keptShares = z.object({ v: z.literal(1), owedMs: z.record(z.string(), z.number()) });

/** A project and what its rules allow it of the machine. */
export interface DecidedProject {
  readonly project: Project;
  readonly decision: IdleDecision;
  /** It completes what it holds, and asks for nothing more. */
  readonly isFinishing: boolean;
  /** See `ComputeAllowance`. */
  readonly overrulesWishes: number | undefined;
}

/** Divides the machine among projects by weight. */
export class CoreShares {
  readonly #owedAtStart: Readonly<Record<string, number>>;
  readonly #known = new WeakSet<Project>();
  #dividedAtMs: number | null = null;
  #savedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly directory: DataDirectory,
    private readonly turnMs: number,
    log: LogEvent,
  ) {
    this.#owedAtStart = readShares(directory, log);
  }

  /** What each of the projects may use from now on, in their order. */
  divide(decided: readonly DecidedProject[], nowMs: number): ComputeAllowance[] {
    const elapsedMs = this.#dividedAtMs === null ? 0 : nowMs - this.#dividedAtMs;
    this.#dividedAtMs = nowMs;
    const [only] = decided;
    // A single project takes all that its rules allow, whether it has work for it or not.
    if (only && decided.length === 1) return [allowanceOf(only, only.decision.cores)];
    const cores = Math.max(0, ...decided.map(({ decision }) => decision.cores));
    const claims = decided.map((one) => this.#claimOf(one));
    const grants = shareCores(claims, { cores, elapsedMs, turnMs: this.turnMs });
    decided.forEach(({ project }, index) => {
      const grant = grants[index];
      if (grant) project.share = grant;
    });
    this.#save(decided, nowMs);
    const weights = decided.reduce((sum, { project }) => sum + project.attachment.weight, 0);
    const isSpare = grants.reduce((sum, grant) => sum + grant.cores, 0) < cores;
    return decided.map((one, index) => {
      const granted = grants[index]?.cores ?? 0;
      // Work for its fair share is held ready; where cores have nothing to do, for all of them.
      const fair = Math.max(1, Math.ceil((cores * one.project.attachment.weight) / weights));
      const holdsForCores = isSpare ? cores : Math.max(granted, fair);
      return sharedAllowance({ ...one, granted, holdsForCores, cores }, decided, grants);
    });
  }

  #claimOf({ project, decision }: DecidedProject) {
    if (!this.#known.has(project)) {
      this.#known.add(project);
      project.share = { cores: 0, owedMs: this.#owedAtStart[project.id] ?? 0 };
    }
    const { running, buffered } = project.worker.status();
    const wantedCores = Math.min(decision.cores, running.length + buffered);
    return { id: project.id, weight: project.attachment.weight, wantedCores, ...project.share };
  }

  #save(decided: readonly DecidedProject[], nowMs: number): void {
    if (nowMs - this.#savedAtMs < SAVE_EVERY_MS) return;
    this.#savedAtMs = nowMs;
    const owedMs = Object.fromEntries(decided.map(({ project }) => [project.id, project.share.owedMs]));
    // On a full disk the shares are only less even after the next start.
    this.directory.writeWhole(NAME, JSON.stringify({ v: 1, owedMs })).catch(() => undefined);
  }
}

function readShares(directory: DataDirectory, log: LogEvent): Readonly<Record<string, number>> {
  const withoutIt = 'projects begin without being owed any time of the cores';
  return readStateFile(directory, { name: NAME, schema: keptShares, withoutIt }, log)?.owedMs ?? {};
}

function allowanceOf(
  { decision, isFinishing, overrulesWishes }: DecidedProject,
  cores: number,
): ComputeAllowance {
  const allowance = {
    ...(overrulesWishes !== undefined && { overrulesWishes }),
    cores,
    dutyCycle: decision.run ? decision.duty : 1,
    memoryMiB: decision.memoryMiB,
    reason: decision.reason,
  };
  if (!isFinishing || !decision.run) return allowance;
  const reason = 'finishing: you asked for it on the website; it waits there until you let it go on';
  return { ...allowance, holdsForCores: 0, reason };
}

function sharedAllowance(
  one: DecidedProject & {
    readonly granted: number;
    readonly holdsForCores: number;
    /** Of all projects together. */
    readonly cores: number;
  },
  all: readonly DecidedProject[],
  grants: readonly CoreGrant[],
): ComputeAllowance {
  const { project, decision, granted, cores } = one;
  const allowance = allowanceOf(one, granted);
  if (!decision.run) return allowance;
  const { memoryMiB } = decision;
  const part = {
    ...allowance,
    memoryMiB:
      memoryMiB === null ? null : Math.floor((memoryMiB * Math.max(1, granted)) / Math.max(1, cores)),
  };
  if (one.isFinishing) return part;
  const withWork = { ...part, holdsForCores: one.holdsForCores };
  const { running, buffered } = project.worker.status();
  if (granted > 0 || running.length + buffered === 0) return withWork;
  const others = all.filter((_, index) => (grants[index]?.cores ?? 0) > 0).map((other) => other.project.name);
  return { ...withWork, reason: `waiting: its turn comes after ${others.join(', ')}` };
}
