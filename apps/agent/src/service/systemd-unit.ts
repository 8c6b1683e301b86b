import { join } from 'node:path';
import { FINAL_EXITS } from '../exit-codes.js';
import type { ServiceDefinition, ServiceProgram } from './service-definition.js';

/** A systemd user unit: started when the user logs in, or at boot where the user lingers. */
export function systemdUnit({ name, argv, init }: ServiceProgram): ServiceDefinition {
  const unit = `${name}.service`;
  const directory = join(init.homeDirectory, '.config', 'systemd', 'user');
  const environment = Object.entries(init.environment)
    .map(([variable, value]) => `Environment=${quotedValue(`${variable}=${value}`)}\n`)
    .join('');
  return {
    name: unit,
    file: {
      path: join(directory, unit),
      content: `[Unit]
Description=Gleaner: computes for science while this machine is idle
StartLimitIntervalSec=0

[Service]
ExecStart=${argv.map(quoted).join(' ')}
${environment}Restart=on-failure
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
    traces: [join(directory, 'default.target.wants', unit)],
    afterRemoval: [['systemctl', '--user', 'daemon-reload']],
    notes: [
      'It runs while you are logged in. To compute on a machine where nobody is: loginctl enable-linger',
      `Its log: ${argv.at(-1) ?? ''}`,
    ],
    advice:
      'a user unit needs systemd and a login of your own (not su or sudo); ' +
      'without, have whatever starts programs here start "gleaner agent run"',
  };
}

/** As systemd.service(5) wants an argument of a command: variables are not meant. */
function quoted(argument: string): string {
  return quotedValue(argument.replaceAll('$', '$$$$'));
}

/** As systemd.syntax(7) wants it: specifiers are not meant. */
function quotedValue(value: string): string {
  const escaped = value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('%', '%%');
  return `"${escaped}"`;
}
