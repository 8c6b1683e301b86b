import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AGENT, AgentProcess, runAgent } from './agent-support/agent-process.js';
import { steppingModule } from './agent-support/long-module.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { hasTerminal, Terminal } from './agent-support/terminal.js';

const COLUMNS = 90;
const SIGINT = 2;

it.skipIf(!hasTerminal())(
  'top shows at a terminal, anew all the time, what the agent does or why it does nothing, until Ctrl-C',
  async () => {
    const data = await mkdtemp(join(tmpdir(), 'gleaner-top-'));
    await using coordinator = await StandInCoordinator.start();
    try {
      const attached = await runAgent(['attach', coordinator.url, '--anonymous', '--no-p2p', '--data', data]);
      expect(attached.code).toBe(0);
      await using top = new Terminal([process.execPath, AGENT, 'top', '--data', data], COLUMNS);
      await top.shows(/^the agent has not run yet: start it with "gleaner agent run"$/);
      coordinator.addTask('1.0', steppingModule(100_000));
      await using agent = new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data]);
      await top.shows(/^gleaner agent {3}working {3}1 of 1 cores busy$/);
      // A whole screen came with that line.
      await top.shows(/^tiny@1 tiny +\[[#.]{24}\] +(\d+ %|\?) +\d+ min$/);
      await top.shows(/^cycles: \S+.* today {3}\S+.* in all$/);
      await top.shows(
        /^inputs: 0 bytes from volunteers, 0 bytes from the coordinator, 0 bytes to volunteers/,
      );
      for (const line of top.screen) expect(line.length).toBeLessThanOrEqual(COLUMNS);
      expect((await runAgent(['pause', '--data', data])).code).toBe(0);
      await top.shows(/^gleaner agent {3}paused {3}no core$/);
      await top.shows(/^paused: you asked for it/);
      // However it ends, nobody is told that it computes on.
      agent.kill('SIGKILL');
      await top.shows(/^not running: start the agent with "gleaner agent run"$/);
      await top.shows(/^gleaner agent {3}stopped {3}no core$/);
      top.type('\u0003');
      expect(await top.ended).toBe(128 + SIGINT);
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  },
);
