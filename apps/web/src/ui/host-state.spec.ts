import { describe, expect, it } from 'vitest';
import { hostState } from './host-state';

const NOW = Date.parse('2026-11-21T12:00:00Z');

type AHost = Parameters<typeof hostState>[0];

function aHost(facts: Partial<AHost> & { run?: AHost['wishes']['run'] } = {}): AHost {
  const { run = 'run', ...host } = facts;
  return {
    held: null,
    inProgress: 2,
    lastSeenAt: '2026-11-21T11:59:00Z',
    state: null,
    ...host,
    wishes: { run, version: 1 },
  };
}

const typing: AHost['state'] = {
  phase: 'paused',
  reason: 'paused: you are typing',
  at: '2026-11-21T11:58:00Z',
};

describe('what a machine does', () => {
  it.each<[string, AHost, string]>([
    ['as it says', aHost({ state: typing }), 'Paused: you are typing'],
    [
      'while it works, as the coordinator knows',
      aHost({ state: { ...typing, phase: 'working', reason: 'working on 1 task of another job' } }),
      'Computing 2 tasks',
    ],
    [
      'between two tasks',
      aHost({ inProgress: 0, state: { ...typing, phase: 'working', reason: 'working on 1 task' } }),
      'Computing',
    ],
    ['without its word', aHost(), 'Computing 2 tasks'],
    ['without a task', aHost({ inProgress: 0 }), 'Awake, without a task at the moment'],
    ['as its owner asked', aHost({ run: 'pause', state: typing }), 'Paused, as you asked'],
    [
      'before it hears of it',
      aHost({ run: 'pause', state: { ...typing, phase: 'working' } }),
      'Computing until it hears that it is to pause',
    ],
    ['to the end', aHost({ run: 'finish', inProgress: 1 }), 'Finishing one task, then it rests'],
    [
      'when nobody hears of it',
      aHost({ state: typing, lastSeenAt: '2026-11-21T09:00:00Z' }),
      'Silent for 3 h',
    ],
    ['while it is held', aHost({ held: 'too fast', state: typing }), 'Held by an operator: too fast'],
  ])('%s', (_when, host, text) => {
    expect(hostState(host, NOW).text).toBe(text);
  });
});
