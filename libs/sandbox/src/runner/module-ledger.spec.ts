import { describe, expect, it } from 'vitest';
import { ModuleLedger } from './module-ledger.js';

const source = { kind: 'file', path: 'app.wasm' } as const;
const plan = (ledger: ModuleLedger, ...names: string[]) => {
  const { modules, evict } = ledger.plan(new Map(names.map((name) => [name, source])));
  return { sent: modules.map(({ sha256 }) => sha256), evict };
};

describe('ModuleLedger', () => {
  it('sends a module once', () => {
    const ledger = new ModuleLedger();
    expect(plan(ledger, 'a', 'b')).toEqual({ sent: ['a', 'b'], evict: [] });
    expect(plan(ledger, 'b', 'c')).toEqual({ sent: ['c'], evict: [] });
  });

  it('lets the least recently used go when there are more than sixteen', () => {
    const ledger = new ModuleLedger();
    const names = Array.from({ length: 16 }, (_, i) => `m${i}`);
    for (const name of names) plan(ledger, name);
    plan(ledger, 'm0');
    expect(plan(ledger, 'new')).toEqual({ sent: ['new'], evict: ['m1'] });
    expect(plan(ledger, 'm1')).toEqual({ sent: ['m1'], evict: ['m2'] });
  });

  it('never lets go what a batch needs', () => {
    const many = Array.from({ length: 20 }, (_, i) => `m${i}`);
    expect(plan(new ModuleLedger(), ...many)).toEqual({ sent: many, evict: [] });
  });

  it('sends again what was lost', () => {
    const ledger = new ModuleLedger();
    plan(ledger, 'a', 'b');
    ledger.forget('a');
    expect(plan(ledger, 'a', 'b').sent).toEqual(['a']);
    ledger.clear();
    expect(plan(ledger, 'a', 'b').sent).toEqual(['a', 'b']);
  });
});
