import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { System } from '../probes/system.js';
import { launchAgent } from './launch-agent.js';
import { systemdUnit } from './systemd-unit.js';
import { windowsTask } from './windows-task.js';

/** The agent as this system's service manager is to start it. */
export interface ServiceInit {
  /** Program and arguments that start the agent, without `run`. */
  readonly command: readonly string[];
  readonly dataDirectory: string;
  /** Whether it is the directory that is used when none is named. */
  readonly isDefaultDirectory: boolean;
  readonly homeDirectory: string;
  /** What it needs to reach its coordinators from here, such as the address of a proxy; a service manager knows nothing of it. */
  readonly environment: Readonly<Record<string, string>>;
}

export type CommandLine = readonly [program: string, ...args: string[]];

/** Everything that installing writes and runs, and that uninstalling takes back. */
export interface ServiceDefinition {
  /** How the service manager calls it. */
  readonly name: string;
  readonly file: { readonly path: string; readonly content: string; readonly encoding: 'utf8' | 'utf16le' };
  readonly start: readonly CommandLine[];
  readonly stop: readonly CommandLine[];
  /** What {@link start} leaves in other places, which {@link stop} may not have been able to take away. */
  readonly traces: readonly string[];
  /** After the file is gone. */
  readonly afterRemoval: readonly CommandLine[];
  /** What the volunteer may want to know. */
  readonly notes: readonly string[];
  /** What to do where the service manager refuses. */
  readonly advice: string;
}

/** What the service runs; its log is in the data directory and rotates there. */
export interface ServiceProgram {
  readonly name: string;
  readonly argv: readonly string[];
  readonly init: ServiceInit;
}

/** The service for a data directory: each directory has its own, so that one machine can have several. */
export function serviceDefinition(system: System, init: ServiceInit): ServiceDefinition {
  const { command, dataDirectory } = init;
  const argv = [
    ...command,
    'run',
    '--service',
    '--data',
    dataDirectory,
    '--log',
    join(dataDirectory, 'logs', 'agent.log'),
  ];
  const program: ServiceProgram = { name: serviceName(init), argv, init };
  switch (system) {
    case 'linux':
      return systemdUnit(program);
    case 'macos':
      return launchAgent(program);
    case 'windows':
      return windowsTask(program);
  }
}

function serviceName({ dataDirectory, isDefaultDirectory }: ServiceInit): string {
  if (isDefaultDirectory) return 'gleaner-agent';
  return `gleaner-agent-${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 8)}`;
}
