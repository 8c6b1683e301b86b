import { join } from 'node:path';
import { FINAL_EXITS } from '../exit-codes.js';
import type { ServiceDefinition, ServiceProgram } from './service-definition.js';

/** A systemd user unit: started when the user logs in, or at boot where the user lingers. */
export function systemdUnit({ name, argv, init }: ServiceProgram): ServiceDefinition {
  const unit = `${name}.service`;
  return {
    name: unit,
    file: {
      path: join(init.homeDirectory, '.config', 'systemd', 'user', unit),
      content: `[Unit]
Description=Gleaner: computes for science while this machine is idle
StartLimitIntervalSec=0

[Service]
ExecStart=${argv.map(quoted).join(' ')}
Restart=on-failure
RestartSec=30
RestartPreventExitStatus=${FINAL_EXITS.join(' ')}
KillMode=mixed
TimeoutStopSec=45
Nice=10
IOSchedulingClass=idle
UMask=0077
NoNewPrivileges=yes
OOMScoreAdjust=900

[Install]
WantedBy=default.target
`,
      encoding: 'utf8',
    },
    start: [
      ['systemctl', '--user', 'daemon-reload'],
      ['systemctl', '--user', 'enable', '--now', unit],
    ],
    stop: [['systemctl', '--user', 'disable', '--now', unit]],
    afterRemoval: [['systemctl', '--user', 'daemon-reload']],
    notes: [
      'It runs while you are logged in. To compute on a machine where nobody is: loginctl enable-linger',
      `Its log: ${argv.at(-1) ?? ''}`,
    ],
  };
}

/** As systemd.syntax(7) and systemd.service(5) want it: specifiers and variables are not meant. */
function quoted(argument: string): string {
  const escaped = argument
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return `"${escaped}"`;
}
