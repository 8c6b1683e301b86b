/*
 * Counts the cycles of a program from the trace of Debian's `wasm-interp`, which knows nothing of ours. Its stream
 * differs from the module in three ways. `alloca`, `drop_keep` and `catch_drop` are its own. `br_if` is a `br_unless`
 * over a `br`, and an `else` begins with a `br` over the arm: both are recognised by a `br_unless` that goes to just
 * behind the `br`. A function's end is a `return`, recognised by standing just before another function or last; where
 * it discards a single local it says `drop`, so the programs avoid that.
 */

const OWN_INSTRUCTIONS: ReadonlySet<string> = new Set(['alloca', 'drop_keep', 'catch_drop']);
const BR_BYTES = 8;
const RETURN_BYTES = 4;
const LINE = /^#(\d+)\.\s+(\d+): V:\d+\s+\| ([a-z0-9_.]+)(.*)$/;

interface Step {
  readonly depth: number;
  readonly pc: number;
  readonly name: string;
  readonly operands: string;
}

export function cyclesOfTrace(trace: string): bigint {
  const steps = trace.split('\n').flatMap((line): Step[] => {
    const [, depth, pc, name = '', operands = ''] = LINE.exec(line) ?? [];
    return pc === undefined ? [] : [{ depth: Number(depth), pc: Number(pc), name, operands }];
  });
  const branchTargets = new Set(
    steps
      .filter(({ name }) => name === 'br_unless')
      .map(({ operands }) => Number(/@(\d+)/.exec(operands)?.[1])),
  );
  const entries = new Set(
    steps.filter(({ depth }, i) => depth > (steps[i - 1]?.depth ?? -1)).map(({ pc }) => pc),
  );
  const last = Math.max(...steps.map(({ pc }) => pc));
  let cycles = 0n;
  for (const [i, { pc, name, operands }] of steps.entries()) {
    if (OWN_INSTRUCTIONS.has(name)) continue;
    if (name === 'br' && (branchTargets.has(pc + BR_BYTES) || isTableEntry(steps, i))) continue;
    if (name === 'return' && (pc === last || entries.has(pc + RETURN_BYTES))) continue;
    cycles += 1n + lengthCycles(name, operands);
  }
  return cycles;
}

/** The entries of a `br_table` are branches, each after a `catch_drop`. */
function isTableEntry(steps: readonly Step[], i: number): boolean {
  const before = steps
    .slice(Math.max(i - 3, 0), i)
    .filter(({ name }) => name !== 'catch_drop' && name !== 'drop_keep');
  return before.at(-1)?.name === 'br_table';
}

function lengthCycles(name: string, operands: string): bigint {
  const length = BigInt(/(\d+)\s*$/.exec(operands)?.[1] ?? 0);
  if (/^memory\.(fill|copy|init)$/.test(name)) return (length + 15n) / 16n;
  return /^table\.(fill|copy|init)$/.test(name) ? length : 0n;
}
