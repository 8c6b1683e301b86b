import type { AgentStatus, Phase, ProjectStatus } from '../status-file.js';
import type { Project } from './project.js';

/** The first of these that any project is in, is the agent's. */
const PHASES: readonly Phase[] = ['starting', 'stopping', 'working', 'waiting', 'paused', 'stopped'];

/** What one project's worker says of itself. */
export function statusOf({ attachment, worker, ending }: Project): ProjectStatus {
  const status = worker.status();
  const { cores, dutyCycle, reason } = status.allowance;
  return {
    coordinator: attachment.coordinator,
    name: attachment.coordinatorName,
    hostId: attachment.hostId,
    weight: attachment.weight,
    phase: status.phase,
    reason: ending?.message ?? status.reason,
    running: status.running.map((task) => ({ ...task, startedAt: task.startedAt.toISOString() })),
    allowance: { cores, dutyCycle, reason },
    swarm: status.swarm,
    traffic: status.traffic,
    warnings: [...status.warnings],
    buffered: status.buffered,
    unreported: status.unreported,
    finishedTasks: status.finishedTasks,
    cycles: status.cycles.toString(),
  };
}

/** All projects as one agent: sums, the liveliest phase, and each project's reason where they differ. */
export function summarise(
  projects: readonly ProjectStatus[],
  isFinishing: boolean,
): Omit<AgentStatus, 'pid' | 'updatedAt' | 'attachmentsAtMs' | 'wishedAtMs'> {
  const sum = (of: (project: ProjectStatus) => number): number =>
    projects.reduce((total, project) => total + of(project), 0);
  const phase = PHASES.find((one) => projects.some((project) => project.phase === one)) ?? 'stopped';
  const traffic = {
    fromPeersBytes: sum((project) => project.traffic.fromPeersBytes),
    fromOriginBytes: sum((project) => project.traffic.fromOriginBytes),
    toPeersBytes: sum((project) => project.traffic.toPeersBytes),
  };
  const swarm =
    projects.find((project) => project.swarm?.state === 'on')?.swarm ?? projects[0]?.swarm ?? null;
  return {
    phase,
    reason: reasonOf(projects),
    running: projects.flatMap(({ running }) => running),
    isFinishing,
    allowance: {
      cores: sum((project) => Math.min(project.allowance.cores, Number.MAX_SAFE_INTEGER / projects.length)),
      dutyCycle: Math.max(0, ...projects.map(({ allowance }) => allowance.dutyCycle)),
      reason: allowanceReason(projects),
    },
    swarm: swarm && {
      ...swarm,
      ...traffic,
      peers: sum((project) => project.swarm?.peers ?? 0),
      monthBytes: sum((project) => project.swarm?.monthBytes ?? 0),
    },
    traffic,
    warnings: warningsOf(projects),
    buffered: sum(({ buffered }) => buffered),
    unreported: sum(({ unreported }) => unreported),
    finishedTasks: sum(({ finishedTasks }) => finishedTasks),
    cycles: projects.reduce((total, { cycles }) => total + BigInt(cycles), 0n).toString(),
    projects: [...projects],
  };
}

function reasonOf(projects: readonly ProjectStatus[]): string {
  const [first, ...others] = projects;
  if (!first) return 'no project is left: join one with "gleaner agent attach URL"';
  if (others.every(({ reason }) => reason === first.reason)) return first.reason;
  return projects.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
}

function warningsOf(projects: readonly ProjectStatus[]): string[] {
  return projects.flatMap(({ name, warnings }) =>
    projects.length === 1 ? warnings : warnings.map((warning) => `${name}: ${warning}`),
  );
}

/** A project that computes tells what the machine allows better than one that waits for its turn. */
function allowanceReason(projects: readonly ProjectStatus[]): string {
  const computing = projects.find(({ allowance }) => allowance.cores > 0) ?? projects[0];
  return computing?.allowance.reason ?? 'no project is left';
}
