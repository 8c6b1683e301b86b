import { cellsOf } from '@gleaner/protocol';
import { describe, expect, it } from 'vitest';
import type { AgentStatus } from '../status-file.js';
import { formatCycles, renderTop } from './render-top.js';

const now = new Date('2026-11-20T12:00:00Z');
const tallies = { v: 1, cycles: '123456789012', tasks: 7, day: '2026-11-20', cyclesOfDay: '2500' } as const;
const idle: AgentStatus = {
  pid: 1,
  updatedAt: now.toISOString(),
  phase: 'paused',
  reason: 'paused: on battery',
  running: [],
  isFinishing: false,
  allowance: { cores: 0, dutyCycle: 1, reason: 'paused: on battery' },
  swarm: null,
  traffic: { fromPeersBytes: 0, fromOriginBytes: 0, toPeersBytes: 0 },
  warnings: [],
  projects: [],
  attachmentsAtMs: null,
  wishedAtMs: null,
  buffered: 2,
  unreported: 1,
  finishedTasks: 3,
  cycles: '0',
};

describe('agent top', () => {
  it('tells why nothing is computed', () => {
    expect(renderTop(idle, tallies, now, { columns: 80, rows: 24 })).toEqual([
      'gleaner agent   paused   no core',
      'paused: on battery',
      '',
      '2 waiting   1 to report   7 finished in all',
      'cycles: 2.50 k today   123 G in all',
    ]);
  });

  it('shows what has to be mended', () => {
    const lines = renderTop({ ...idle, warnings: ['the disk is old'] }, tallies, now, {
      columns: 80,
      rows: 24,
    });
    expect(lines.slice(0, 3)).toEqual([
      'gleaner agent   paused   no core',
      'paused: on battery',
      'warning: the disk is old',
    ]);
  });

  it('shows each task with its progress and age', () => {
    const running = [
      {
        taskId: '1.0',
        jobName: 'one-night',
        app: 'seti@1',
        startedAt: '2026-11-20T11:15:00.000Z',
        permille: 500,
      },
      {
        taskId: '2.0',
        jobName: 'hunt',
        app: 'prime@2',
        startedAt: '2026-11-20T09:59:00.000Z',
        permille: null,
      },
    ];
    const allowance = {
      cores: 3,
      dutyCycle: 0.5,
      reason: 'computing on 3 of 4 cores: the machine is in use',
    };
    const lines = renderTop(
      { ...idle, phase: 'working', reason: 'working', running, allowance },
      tallies,
      now,
      { columns: 100, rows: 24 },
    );
    expect(lines[0]).toBe('gleaner agent   working   2 of 3 cores busy for 50 % of the time');
    expect(lines[4]).toBe('seti@1 one-night                   [############............]  50 %    45 min');
    expect(lines[5]).toBe('prime@2 hunt                       [........................]     ? 2 h 1 min');
  });

  it('shows what was exchanged with other volunteers', () => {
    const swarm = {
      state: 'on' as const,
      reason: 'sharing',
      peers: 3,
      fromPeersBytes: 12_345_678,
      fromOriginBytes: 999,
      toPeersBytes: 0,
      monthBytes: 0,
    };
    const lines = renderTop({ ...idle, swarm }, tallies, now, { columns: 120, rows: 24 });
    expect(lines.at(-1)).toBe(
      'inputs: 12.3 MB from volunteers, 999 bytes from the coordinator, 0 bytes to volunteers (3 connected)',
    );
  });

  it('is never wider than the terminal, whatever the jobs are called', () => {
    const task = { taskId: '1.0', app: 'seti@1', startedAt: '2026-11-20T11:15:00.000Z', permille: 500 };
    const running = ['アレシボの夜', 'one night'].map((jobName) => ({ ...task, jobName }));
    for (const columns of [20, 60, 120]) {
      const lines = renderTop({ ...idle, running }, tallies, now, { columns, rows: 24 });
      for (const line of lines) expect(cellsOf(line)).toBeLessThanOrEqual(columns);
    }
    const bars = renderTop({ ...idle, running }, tallies, now, { columns: 120, rows: 24 })
      .filter((line) => line.includes('['))
      .map((line) => cellsOf(line.slice(0, line.indexOf('['))));
    expect(bars).toEqual([35, 35]);
  });

  it('is never higher than the terminal, and counts the tasks that find no room', () => {
    const running = Array.from({ length: 64 }, (_, index) => ({
      taskId: `${index}.0`,
      jobName: 'one-night',
      app: 'seti@1',
      startedAt: '2026-11-20T11:15:00.000Z',
      permille: 500,
    }));
    const linesOn = (rows: number) => renderTop({ ...idle, running }, tallies, now, { columns: 80, rows });
    expect(linesOn(24)).toHaveLength(24);
    expect(linesOn(24)[0]).toContain('gleaner agent');
    expect(linesOn(24).at(-4)).toBe('… and 47 more');
    expect(linesOn(24).at(-1)).toContain('cycles:');
    expect(linesOn(8)).toHaveLength(8);
    expect(linesOn(7)).toHaveLength(7);
    expect(linesOn(6)).toHaveLength(6);
    expect(linesOn(Infinity)).toHaveLength(3 + 64 + 3);
  });

  it.each([
    ['0', '0'],
    ['999', '999'],
    ['1000', '1.00 k'],
    ['12345', '12.3 k'],
    ['999999', '999 k'],
    ['1234567890123456789012345678', '1234 Y'],
  ])('writes %s cycles as %s', (decimal, text) => {
    expect(formatCycles(decimal)).toBe(text);
  });
});
