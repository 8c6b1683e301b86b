import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { statusWhere } from './agent-support/running-agent.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { helloModule } from './agent-support/tiny-modules.js';

let data: string;
let coordinator: StandInCoordinator;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-damage-'));
  coordinator = await StandInCoordinator.start();
  const { code } = await runAgent(['attach', coordinator.url, '--anonymous', '--no-p2p', '--data', data]);
  expect(code).toBe(0);
});
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

/** As a disk that failed, or an editor that was killed, leaves it. */
async function damage(name: string): Promise<void> {
  await mkdir(dirname(join(data, name)), { recursive: true });
  await writeFile(join(data, name), '{"v":1,"');
}

function startAgent(...more: readonly string[]): AgentProcess {
  return new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data, ...more]);
}

// attachment.json is with the other misfortunes: without it there is nothing to compute for.
describe('an agent that finds damaged', () => {
  it.each([
    ['tasks/9.0.json', 'the coordinator gives the task out again', null],
    ['results/9.0.json', 'the coordinator gives the task out again', null],
    ['wishes.json', 'holds again when the coordinator has said it again', 'wishes.json.damaged'],
    ['tallies.json', 'the counts of tasks and cycles on this machine begin anew', 'tallies.json.damaged'],
    ['shares.json', 'projects begin without being owed any time', 'shares.json.damaged'],
  ])('%s says so and works on', async (name, message, keptAs) => {
    await damage(name);
    coordinator.addTask('1.0', helloModule('whole\n'));
    const { code, stdout } = await startAgent('--once').ended;
    expect(code).toBe(0);
    const told = stdout.split('\n').filter((line) => line.includes('"state-damaged"'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(join(data, name));
    expect(told[0]).toContain(message);
    expect(coordinator.reports).toMatchObject([{ taskId: '1.0', outcome: 'ok' }]);
    if (keptAs !== null) expect(await readdir(data)).toContain(keptAs);
    // Told once: what it wrote since is whole.
    expect((await startAgent('--once').ended).stdout).not.toContain('"state-damaged"');
  });

  it('status.json writes it anew', async () => {
    await damage('status.json');
    expect((await runAgent(['status', '--data', data])).stdout).toContain('not running: start the agent');
    await using _ = startAgent();
    const { phase } = await statusWhere(data, ({ reason }) => reason === 'waiting: no jobs at the moment');
    expect(phase).toBe('waiting');
  });

  it('modules and inputs fetches them again', async () => {
    coordinator.addTask('1.0', helloModule('fetched twice\n'));
    await startAgent('--once').ended;
    for (const name of await readdir(join(data, 'cache'))) await damage(join('cache', name));
    coordinator.addTask('2.0', helloModule('fetched twice\n'));
    await startAgent('--once').ended;
    expect(coordinator.reports.map(({ outcome, digest }) => [outcome, digest])).toEqual([
      ['ok', coordinator.reports[0]?.digest],
      ['ok', coordinator.reports[0]?.digest],
    ]);
  });

  it('preferences.json pauses, since hours may stand in it, and goes on when it is mended', async () => {
    await damage('preferences.json');
    await using _ = startAgent();
    const { phase } = await statusWhere(data, ({ reason }) =>
      /^paused: .*preferences\.json is not JSON.*; mend or remove the file$/.test(reason),
    );
    expect(phase).toBe('paused');
    expect((await runAgent(['prefs', 'onBattery=compute', '--data', data])).code).toBe(0);
    await statusWhere(data, ({ reason }) => reason === 'waiting: no jobs at the moment');
  });

  it('control.json pauses, since it may have asked for that, and goes on when told to', async () => {
    await damage('control.json');
    await using _ = startAgent();
    const { phase } = await statusWhere(data, ({ reason }) =>
      /^paused: .*control\.json is damaged, it may have asked for a pause; "gleaner agent resume" goes on$/.test(
        reason,
      ),
    );
    expect(phase).toBe('paused');
    expect((await runAgent(['resume', '--data', data])).stdout).not.toContain('damaged');
    await statusWhere(data, ({ reason }) => reason === 'waiting: no jobs at the moment');
  });
});
