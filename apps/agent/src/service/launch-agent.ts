import { join } from 'node:path';
import type { ServiceDefinition, ServiceProgram } from './service-definition.js';
import { escapeXml } from './escape-xml.js';

/** A LaunchAgent of macOS: started when the user logs in. */
export function launchAgent({ name, argv, init }: ServiceProgram): ServiceDefinition {
  const label = `org.gleaner.${name}`;
  const path = join(init.homeDirectory, 'Library', 'LaunchAgents', `${label}.plist`);
  const environment = Object.entries(init.environment)
    .map(
      ([variable, value]) =>
        `    <key>${escapeXml(variable)}</key>\n    <string>${escapeXml(value)}</string>\n`,
    )
    .join('');
  const words = argv.map((argument) => `    <string>${escapeXml(argument)}</string>`).join('\n');
  return {
    name: label,
    file: {
      path,
      content: `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${escapeXml(label)}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
${environment === '' ? '' : `  <key>EnvironmentVariables</key>\n  <dict>\n${environment}  </dict>\n`}  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>30</integer>
  <key>ExitTimeOut</key>
  <integer>45</integer>
  <key>ProcessType</key>
  <string>Background</string>
  <key>LowPriorityIO</key>
  <true/>
  <key>Nice</key>
  <integer>10</integer>
  <key>Umask</key>
  <integer>63</integer>
</dict>
</plist>
`,
      encoding: 'utf8',
    },
    start: [['launchctl', 'load', '-w', path]],
    stop: [['launchctl', 'unload', '-w', path]],
    traces: [],
    afterRemoval: [],
    notes: ['It runs while you are logged in.', `Its log: ${argv.at(-1) ?? ''}`],
    advice: 'it needs a session of yours at the screen; without, start "gleaner agent run" yourself',
  };
}
