import { closeSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT, serviceExitCode } from '../exit-codes.js';
import { RotatingLog } from './rotating-log.js';
import { serviceDefinition, type ServiceInit } from './service-definition.js';

const init: ServiceInit = {
  command: ['/opt/node 24/bin/node', '/home/ada/.npm/gleaner.js', 'agent'],
  dataDirectory: '/home/ada/100% "mine"/$HOME',
  isDefaultDirectory: true,
  homeDirectory: '/home/ada',
  environment: {},
};
const proxy = { https_proxy: 'http://ada:50%"$x@proxy.example:3128' };

describe('a systemd user unit', () => {
  const { name, file, start, stop } = serviceDefinition('linux', init);

  it('starts the agent with every argument as it is', () => {
    expect(file.path).toBe('/home/ada/.config/systemd/user/gleaner-agent.service');
    expect(file.content).toContain(
      'ExecStart="/opt/node 24/bin/node" "/home/ada/.npm/gleaner.js" "agent" "run" "--service" "--data" "/home/ada/100%% \\"mine\\"/$$HOME"',
    );
  });

  it('is enabled and disabled by its name', () => {
    expect(start.at(-1)).toEqual(['systemctl', '--user', 'enable', '--now', name]);
    expect(stop).toEqual([['systemctl', '--user', 'disable', '--now', name]]);
  });

  it('knows the way to the network', () => {
    const { content } = serviceDefinition('linux', { ...init, environment: proxy }).file;
    expect(content).toContain('Environment="https_proxy=http://ada:50%%\\"$x@proxy.example:3128"\nRestart=');
    expect(file.content).not.toContain('Environment=');
  });

  it('of another directory has another name', () => {
    const other = serviceDefinition('linux', { ...init, isDefaultDirectory: false });
    expect(other.name).toMatch(/^gleaner-agent-[0-9a-f]{8}\.service$/);
  });
});

describe('a LaunchAgent', () => {
  const { file } = serviceDefinition('macos', init);

  it('holds its arguments as XML', () => {
    expect(file.path).toBe('/home/ada/Library/LaunchAgents/org.gleaner.gleaner-agent.plist');
    expect(file.content).toContain('<string>/home/ada/100% &quot;mine&quot;/$HOME</string>');
    expect(file.content).toContain('<key>RunAtLoad</key>\n  <true/>');
  });

  it('knows the way to the network', () => {
    const { content } = serviceDefinition('macos', { ...init, environment: proxy }).file;
    expect(content).toContain(
      '<key>https_proxy</key>\n    <string>http://ada:50%&quot;$x@proxy.example:3128</string>\n  </dict>',
    );
    expect(file.content).not.toContain('EnvironmentVariables');
  });
});

describe('a scheduled task', () => {
  const { file, start } = serviceDefinition('windows', {
    ...init,
    command: ['C:\\Program Files\\nodejs\\node.exe', 'C:\\Users\\Ada & Bob\\gleaner.js', 'agent'],
    dataDirectory: 'C:\\Users\\Ada & Bob\\data\\',
    homeDirectory: 'C:\\Users\\Ada & Bob',
  });

  it('quotes its arguments as Windows takes them apart, and as XML', () => {
    expect(file.encoding).toBe('utf16le');
    expect(file.content).toContain('<Command>C:\\Program Files\\nodejs\\node.exe</Command>');
    expect(file.content).toContain(
      '&quot;C:\\Users\\Ada &amp; Bob\\gleaner.js&quot; &quot;agent&quot; &quot;run&quot; &quot;--service&quot; &quot;--data&quot; &quot;C:\\Users\\Ada &amp; Bob\\data\\\\&quot;',
    );
  });

  it('is created from its file', () => {
    expect(start[0]).toEqual(['schtasks', '/Create', '/F', '/TN', 'gleaner-agent', '/XML', file.path]);
  });
});

describe('after the agent has ended', () => {
  const content = (system: 'linux' | 'macos' | 'windows') => serviceDefinition(system, init).file.content;
  const managers = {
    linux: { platform: 'linux', content: content('linux') },
    macos: { platform: 'darwin', content: content('macos') },
    windows: { platform: 'win32', content: content('windows') },
  } as const;
  const codes: ReadonlyArray<[keyof typeof EXIT, 'again' | 'no more']> = [
    ['ok', 'no more'],
    ['failure', 'again'],
    ['usage', 'no more'],
    ['notAttached', 'no more'],
    ['alreadyRunning', 'no more'],
    ['coordinatorUnreachable', 'again'],
    ['tokenRefused', 'no more'],
    ['tooOld', 'no more'],
  ];

  /** By what the managers' manuals say of these settings. */
  function startsAgain(system: keyof typeof managers, code: number): boolean {
    const text = managers[system].content;
    if (system === 'linux') {
      expect(text).toContain('Restart=on-failure');
      const except = /^RestartPreventExitStatus=(.*)$/m.exec(text)?.[1]?.split(' ').map(Number);
      return code !== 0 && except?.includes(code) === false;
    }
    const pattern = {
      macos: /<key>SuccessfulExit<\/key>\s*<false\/>/,
      windows: /<RestartOnFailure>/,
    }[system];
    expect(text).toMatch(pattern);
    return code !== 0;
  }

  it('every one of its exit codes has its say here', () => {
    expect(codes.map(([name]) => name)).toEqual(Object.keys(EXIT));
  });

  const rows = (['linux', 'macos', 'windows'] as const).flatMap((system) =>
    codes.map(([name, then]) => [system, name, then] as const),
  );
  it.each(rows)('%s starts it after "%s" %s', (system, name, then) => {
    expect(managers[system].content).toContain('--service');
    const code = serviceExitCode(EXIT[name], managers[system].platform);
    expect(startsAgain(system, code)).toBe(then === 'again');
  });
});

describe('a rotating log', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gleaner-log-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('keeps the latest lines in a bounded number of bounded files', async () => {
    const path = join(directory, 'logs', 'agent.log');
    const log = new RotatingLog({ path, maxBytes: 30, keptFiles: 2 });
    for (let number = 10; number < 30; number++) log.write(`line ${number}`);
    log.close();
    expect((await readdir(join(directory, 'logs'))).sort()).toEqual([
      'agent.log',
      'agent.log.1',
      'agent.log.2',
    ]);
    expect(await readFile(path, 'utf8')).toBe('line 28\nline 29\n');
    expect(await readFile(`${path}.1`, 'utf8')).toBe('line 25\nline 26\nline 27\n');
  });

  it('goes on where an earlier one ended', async () => {
    const path = join(directory, 'agent.log');
    for (const line of ['one', 'two']) {
      const log = new RotatingLog({ path });
      log.write(line);
      log.close();
    }
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
  });

  it('that cannot be written loses lines and nothing else', async () => {
    await writeFile(join(directory, 'file'), '');
    const log = new RotatingLog({ path: join(directory, 'file', 'agent.log') });
    expect(() => {
      log.write('lost');
    }).not.toThrow();
  });

  it.runIf(process.platform === 'linux')(
    'goes on after its file could neither be written nor closed',
    async () => {
      const path = join(directory, 'agent.log');
      const log = new RotatingLog({ path });
      log.write('one');
      const own = (await readdir('/proc/self/fd')).find((fd) => targetOf(fd) === path);
      closeSync(Number(own));
      for (const line of ['lost', 'two', 'three']) log.write(line);
      log.close();
      expect(await readFile(path, 'utf8')).toBe('one\ntwo\nthree\n');
    },
  );
});

/** What an open descriptor of this process leads to. */
function targetOf(fd: string): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The one with which the list was read.
    return null;
  }
}
