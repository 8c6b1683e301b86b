import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** Largest size that the young generation has while a program makes a lot of garbage, in bytes. */
function youngGeneration(prelude: string): number {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    ${prelude}
    let kept = [], largest = 0;
    for (let i = 0; i < 2_000_000; i++) {
      kept.push({ i });
      if (kept.length > 50_000) kept = [];
      if (i % 100_000) continue;
      const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
      largest = Math.max(largest, young.space_size);
    }
    console.log(largest);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', program]).toString());
}

it('a program that keeps its heap small has a smaller young generation than others, however much garbage it makes', () => {
  const module = fileURLToPath(new URL('./small-heap.ts', import.meta.url));
  const keeps = `import { keepHeapSmall } from ${JSON.stringify(module)}; keepHeapSmall();`;
  // What exactly it comes to depends on when the collector's threads have the processor.
  expect(youngGeneration(keeps)).toBeLessThan(youngGeneration(''));
});
