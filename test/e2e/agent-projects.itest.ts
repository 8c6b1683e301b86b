import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/index.js';
import { AgentProcess, runAgent, type Ended } from './agent-support/agent-process.js';
import { steppingModule } from './agent-support/long-module.js';
import { statusWhere } from './agent-support/running-agent.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { endlessModule, helloModule } from './agent-support/tiny-modules.js';
import { anApprovedApp, completeJob } from './volunteering/science.js';

/** Half a second of a core. */
const SMALL_UNIT = steppingModule(10);
/** Of the core among two: as many for each. */
const CHANGES = 10;
/** Shorter than anybody has the core. */
const UNSEEN_MS = 1000;

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-projects-'));
});
afterEach(async () => {
  await rm(data, { recursive: true, force: true });
});

async function agent(...args: readonly string[]): Promise<Ended> {
  return runAgent([...args, '--data', data]);
}

async function attach(url: string, ...more: readonly string[]): Promise<void> {
  const { code, stderr } = await agent('attach', url, '--anonymous', '--no-p2p', ...more);
  expect(stderr).toContain('host');
  expect(code).toBe(0);
}

function startAgent(...more: readonly string[]): AgentProcess {
  return new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data, ...more]);
}

describe('an agent of two coordinators', () => {
  it('computes the jobs of both', async () => {
    const applications = await Promise.all([createTestApplication(), createTestApplication()]);
    try {
      for (const { url } of applications) await attach(url);
      await using _ = startAgent('--turn', '1');
      const answers = await Promise.all(
        applications.map((application, index) => answerOf(application, `from ${index}\n`)),
      );
      expect(answers).toEqual(['from 0\nfrom 0\n', 'from 1\nfrom 1\n']);
      // A coordinator has its answer before the agent has read that the report was received.
      await statusWhere(data, ({ projects }) => projects.every(({ finishedTasks }) => finishedTasks === 2));
    } finally {
      await Promise.all(applications.map(async (application) => application.close()));
    }
  });

  it('lets them take turns on a single core, and says whose turn it is', async () => {
    await using first = await StandInCoordinator.start('First');
    await using second = await StandInCoordinator.start('Second');
    first.addTask('1.0', endlessModule());
    second.addTask('2.0', endlessModule());
    await attach(first.url);
    await using _ = startAgent('--turn', '1');
    await statusWhere(data, ({ projects }) => projects[0]?.phase === 'working');
    // The agent that runs takes notice.
    await attach(second.url, '--weight', '100');
    const turns = ['Second', 'First', 'Second'];
    for (const name of turns) {
      await statusWhere(data, ({ projects }) => {
        const computes = projects.find((one) => one.name === name);
        const waits = projects.find((one) => one.name !== name);
        return (
          computes?.phase === 'working' &&
          computes.allowance.cores === 1 &&
          waits?.phase === 'waiting' &&
          waits.reason === `waiting: its turn comes after ${name}`
        );
      });
    }
    expect((await agent('status')).stdout).toContain('50 % of the cores (weight 100)');
    const top = await agent('top');
    expect(top.stdout).toMatch(/^First +50 % /m);
    expect(top.stdout).toMatch(/^Second +50 % /m);
  });

  it(
    'shares a core among them by weight: three times the weight, about three times the time',
    { timeout: 400_000 },
    async () => {
      await using heavy = await StandInCoordinator.start('Heavy');
      await using light = await StandInCoordinator.start('Light');
      // Each of many units takes a fraction of a turn.
      for (let unit = 1; unit <= 500; unit++) {
        heavy.addTask(`${unit}.0`, SMALL_UNIT);
        light.addTask(`${unit}.0`, SMALL_UNIT);
      }
      await attach(heavy.url, '--weight', '300');
      await attach(light.url, '--weight', '100');
      await using _ = startAgent('--turn', '1');
      // By then it is known how long units take, and both have some of them at hand at any time.
      await statusWhere(data, ({ projects }) => projects.every(({ finishedTasks }) => finishedTasks > 1));
      expect((await agent('status')).stdout).toMatch(/Heavy .*75 % of the cores \(weight 300\)/);
      const hadMs = await timeHad(['Heavy', 'Light'], CHANGES);
      const ratio = (hadMs.get('Heavy') ?? 0) / (hadMs.get('Light') ?? 0);
      expect(ratio).toBeGreaterThan(1.5);
      expect(ratio).toBeLessThan(6);
    },
  );

  it('leaves one of them while it runs, and goes on with the other', async () => {
    await using first = await StandInCoordinator.start('First');
    await using second = await StandInCoordinator.start('Second');
    first.addTask('1.0', endlessModule());
    second.addTask('2.0', endlessModule());
    await attach(first.url);
    await attach(second.url);
    await using _ = startAgent('--turn', '1');
    await statusWhere(data, ({ projects }) =>
      projects.every(({ buffered, running }) => buffered + running.length > 0),
    );
    const unsaid = await agent('detach');
    expect(unsaid.code).toBe(2);
    expect(unsaid.stderr).toContain('say which project to leave');
    expect((await agent('detach', first.url)).code).toBe(0);
    expect(first.heartbeats.at(-1)).toMatchObject({ leaving: true, returned: ['1.0'] });
    const { projects, phase } = await statusWhere(data, (status) => status.phase === 'working');
    expect(phase).toBe('working');
    expect(projects.map(({ name }) => name)).toEqual(['Second']);
    expect(await readdir(data)).not.toContain('tasks');
  });

  it('changes a weight on demand, and refuses to attach twice without one', async () => {
    await using first = await StandInCoordinator.start('First');
    await using second = await StandInCoordinator.start('Second');
    await attach(first.url);
    await attach(second.url);
    const again = await agent('attach', first.url, '--anonymous');
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('or give --weight N to change its share');
    const weighed = await agent('attach', first.url, '--weight', '300');
    expect(weighed).toMatchObject({ code: 0 });
    expect(weighed.stderr).toContain('First 75 %, Second 25 %');
  });
});

it('the state of an agent that knew one coordinator only is understood, and its work goes on', async () => {
  await using coordinator = await StandInCoordinator.start();
  coordinator.addTask('1.0', helloModule('old state\n'));
  await attach(coordinator.url);
  const { projects } = JSON.parse(await readFile(join(data, 'attachment.json'), 'utf8')) as {
    projects: Array<Record<string, unknown>>;
  };
  const old = Object.entries({ v: 1, ...projects[0] }).filter(
    ([key]) => key !== 'weight' && key !== 'directory',
  );
  await writeFile(join(data, 'attachment.json'), JSON.stringify(Object.fromEntries(old)));
  const running = startAgent('--once');
  expect(await running.ended).toMatchObject({ code: 0 });
  expect(coordinator.reports.map(({ taskId }) => taskId)).toEqual(['1.0']);
});

describe('what was asked on the website', () => {
  it('pauses the machine, until it is lifted there or at the machine', async () => {
    await using coordinator = await StandInCoordinator.start();
    coordinator.addTask('1.0', endlessModule());
    await attach(coordinator.url);
    await using running = startAgent();
    await statusWhere(data, ({ phase }) => phase === 'working');
    coordinator.wishes = { run: 'pause', version: 1 };
    const { reason } = await statusWhere(data, ({ phase }) => phase === 'paused');
    expect(reason).toBe('paused: you paused it on the website');
    // It listens on although it computes nothing.
    coordinator.wishes = { run: 'run', version: 2 };
    await statusWhere(data, ({ phase }) => phase === 'working');
    coordinator.wishes = { run: 'pause', version: 3 };
    await statusWhere(data, ({ phase }) => phase === 'paused');
    // Who sits at the machine has the last word, also after a restart.
    expect((await agent('resume')).stdout).not.toContain('website');
    await statusWhere(data, ({ phase }) => phase === 'working');
    running.kill('SIGTERM');
    await running.ended;
    coordinator.addTask('2.0', endlessModule());
    await using again = startAgent();
    await statusWhere(data, ({ pid, phase }) => pid === again.pid && phase === 'working');
  });

  it('has it complete its work and ask for no more, and sets what the file at the machine leaves open', async () => {
    await using coordinator = await StandInCoordinator.start();
    await attach(coordinator.url);
    coordinator.wishes = { run: 'finish', version: 1 };
    await using _ = startAgent();
    const { phase, reason } = await statusWhere(data, (status) => status.reason.startsWith('finishing'));
    expect(phase).toBe('waiting');
    expect(reason).toBe('finishing: you asked for it on the website; it waits there until you let it go on');
    coordinator.wishes = { run: 'run', version: 2, preferences: { minFreeDiskMiB: 2 ** 40 } };
    await statusWhere(data, (status) => /^paused: only .* of the disk are free/.test(status.reason));
    expect((await agent('prefs', 'minFreeDiskMiB=1')).code).toBe(0);
    await statusWhere(data, (status) => status.phase === 'waiting' && !status.reason.startsWith('finishing'));
  });
});

/**
 * How long each of these projects had the only core, from when one of them got it from another until the same happens again
 * after so many changes of hands: whoever had it for long makes up for it in between.
 */
async function timeHad(names: readonly string[], changes: number): Promise<ReadonlyMap<string, number>> {
  const hadMs = new Map(names.map((name) => [name, 0]));
  let holder: string | undefined;
  let lookedAtMs = 0;
  // The first spell had begun before anybody looked.
  for (let change = -1; change < changes;) {
    const { projects } = await statusWhere(data, () => true);
    const nowMs = performance.now();
    const now = projects.find(({ allowance }) => allowance.cores === 1)?.name ?? holder;
    const passedMs = nowMs - lookedAtMs;
    // Whose core it was while nobody looked for long, nobody knows.
    if (change >= 0 && holder !== undefined && passedMs < UNSEEN_MS)
      hadMs.set(holder, (hadMs.get(holder) ?? 0) + passedMs);
    if (holder !== undefined && now !== holder) change += 1;
    [holder, lookedAtMs] = [now, nowMs];
  }
  return hadMs;
}

async function answerOf(application: TestApplication, text: string): Promise<string> {
  const science = await anApprovedApp(application, 'hello', helloModule(text).original);
  const { answer } = await completeJob(science, {
    name: 'two units',
    app: science.app,
    split: [{ kind: 'range', name: 'n', from: 0, to: 2, step: 1 }],
    replication: { quorum: 1, maxTasks: 4 },
    merge: { kind: 'concat' },
  });
  return answer;
}
