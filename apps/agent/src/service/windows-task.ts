import { win32 } from 'node:path';
import { escapeXml } from './escape-xml.js';
import type { ServiceDefinition, ServiceProgram } from './service-definition.js';

/** A scheduled task of Windows: started when the user logs on, at low priority, for ever. */
export function windowsTask({ name, argv, init }: ServiceProgram): ServiceDefinition {
  const [program = '', ...args] = argv;
  const path = win32.join(init.homeDirectory, 'AppData', 'Local', 'Gleaner', `${name}.xml`);
  return {
    name,
    file: {
      path,
      // The agent itself decides about batteries and idleness, and says why.
      content: `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>8</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escapeXml(program)}</Command>
      <Arguments>${escapeXml(args.map(quoted).join(' '))}</Arguments>
    </Exec>
  </Actions>
</Task>
`,
      encoding: 'utf16le',
    },
    start: [
      ['schtasks', '/Create', '/F', '/TN', name, '/XML', path],
      ['schtasks', '/Run', '/TN', name],
    ],
    stop: [
      ['schtasks', '/End', '/TN', name],
      ['schtasks', '/Delete', '/F', '/TN', name],
    ],
    traces: [],
    afterRemoval: [],
    notes: [
      'It runs while you are logged on.',
      `Its log: ${argv.at(-1) ?? ''}`,
      // A task has no environment of its own.
      ...Object.keys(init.environment).map(
        (variable) => `Make ${variable} known to it: setx ${variable} VALUE`,
      ),
    ],
    advice: 'without a task, start "gleaner agent run" yourself',
  };
}

/** As programs of Windows take their command line apart: backslashes count double only before a quotation mark. */
function quoted(argument: string): string {
  return `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}
