import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { jobSpec } from '@gleaner/protocol';
import type { UnitResult } from '@gleaner/sandbox';
import { afterAll, describe, expect, it } from 'vitest';
import { ExampleApp } from './example-app.js';

const SDK = fileURLToPath(new URL('../../../libs/app-sdk/', import.meta.url));
const README = readFileSync(path.join(SDK, 'README.md'), 'utf8');
const IMPORTS = 'import * as sdk from "@gleaner/app-sdk/assembly";\n';

// Inside the repository, so that the compiler finds the kit as an app's author would have it.
const buildDirectory = fileURLToPath(new URL('../build/', import.meta.url));
mkdirSync(buildDirectory, { recursive: true });
const directory = mkdtempSync(path.join(buildDirectory, 'app-sdk-'));
const apps: ExampleApp[] = [];
afterAll(async () => {
  for (const app of apps) await app[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function codeBlocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    (match) => match[1] ?? '',
  );
}

function compile(source: string): ExampleApp {
  const folder = mkdtempSync(path.join(directory, 'app-'));
  const entry = path.join(folder, 'index.ts');
  const wasm = path.join(folder, 'app.wasm');
  writeFileSync(entry, source);
  execFileSync(process.execPath, [path.join(SDK, 'build.mjs'), entry, '-o', wasm], { stdio: 'pipe' });
  return opened(wasm);
}

function compileC(source: string, isStepping: boolean): ExampleApp {
  const folder = mkdtempSync(path.join(directory, 'c-'));
  const file = path.join(folder, 'app.c');
  const wasm = path.join(folder, 'app.wasm');
  writeFileSync(file, source);
  const model = isStepping ? ['-mexec-model=reactor'] : [];
  execFileSync('clang', [
    '--target=wasm32-wasi',
    '-O2',
    '-Werror',
    ...model,
    '-I',
    path.join(SDK, 'c'),
    file,
    '-o',
    wasm,
  ]);
  return opened(wasm);
}

function opened(wasm: string): ExampleApp {
  const app = new ExampleApp(wasm);
  apps.push(app);
  return app;
}

interface UnitOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly outputs?: readonly string[];
  readonly inputs?: Readonly<Record<string, Uint8Array>>;
  readonly offset?: number;
}

function run(
  app: ExampleApp,
  { args = [], env = {}, outputs = ['stdout'], inputs = {}, offset = 0 }: UnitOptions,
) {
  const spec = jobSpec.parse({
    name: 'test',
    app: 'test@1',
    split: [{ kind: 'range', name: 'n', from: 0, to: 1, step: 1 }],
    args,
    env,
    outputs,
  });
  const windows = Object.fromEntries(
    Object.entries(inputs).map(([name, bytes]) => [name, { offset, length: bytes.length - offset }]),
  );
  return app.runUnit(spec, { index: 0, params: {}, windows }, inputs);
}

function textOf(result: UnitResult, name = 'stdout'): string {
  return Buffer.from(result.outputs.find((output) => output.name === name)?.bytes ?? []).toString();
}

describe('the examples of the README', () => {
  const text = Buffer.from('one\ntwo\nthree\n');

  it('count lines, know their offset and sum numbers in AssemblyScript', async () => {
    const [command, window, stepping] = codeBlocks('ts').map(compile);
    if (!command || !window || !stepping) throw new Error('three examples expected');
    const counted = await run(command, { args: ['/input/text'], inputs: { text } });
    expect([counted.outcome, textOf(counted)]).toEqual(['ok', 'lines\t3\n']);
    const placed = await run(window, { inputs: { text }, offset: 4, outputs: ['starts'] });
    expect([placed.outcome, textOf(placed, 'starts')]).toEqual(['ok', '4\n8\n']);
    expect([command.isStepping, stepping.isStepping]).toEqual([false, true]);
    const summed = await run(stepping, { args: ['30000000'] });
    expect([summed.outcome, textOf(summed)]).toEqual(['ok', 'sum\t89999997\n']);
    expect(stepping.imports).toEqual(expect.arrayContaining(['gleaner.frame', 'gleaner.progress']));
  });

  const hasClang =
    spawnSync('clang', ['--version']).status === 0 && existsSync('/usr/include/wasm32-wasi/stdio.h');
  if (!hasClang) console.warn('skipped: the C examples need clang, lld and wasi-libc');
  it.skipIf(!hasClang)('count lines and sum numbers in C', async () => {
    const [command, stepping] = codeBlocks('c').map((source, i) => compileC(source, i === 1));
    if (!command || !stepping) throw new Error('two examples expected');
    const counted = await run(command, { args: ['/input/text'], inputs: { text }, offset: 4 });
    expect([counted.outcome, textOf(counted)]).toEqual(['ok', 'offset\t4\nlines\t2\n']);
    expect([command.isStepping, stepping.isStepping]).toEqual([false, true]);
    const summed = await run(stepping, { args: ['30000000'], outputs: ['sum'] });
    expect([summed.outcome, textOf(summed, 'sum')]).toEqual(['ok', '89999997\n']);
  });
});

describe('the AssemblyScript kit', () => {
  it('writes numbers exactly', async () => {
    const app = compile(`${IMPORTS}
      const out = sdk.stdout;
      out.integer(0).line("").integer(i64.MIN_VALUE).line("").integer(i64.MAX_VALUE).line("");
      out.fixed(23.78654861, 4).line("").fixed(-0.00001, 4).line("").fixed(-2.5, 0).line("").fixed(1.005, 9).line("");
      out.hex(0xdeadbeef, 16).line("").hex(u64.MAX_VALUE, 2).line("").line("grüße");
      out.flush();`);
    const lines = textOf(await run(app, {})).split('\n');
    expect(lines.slice(0, 3)).toEqual(['0', '-9223372036854775808', '9223372036854775807']);
    expect(lines.slice(3, 7)).toEqual(['23.7865', '0.0000', '-3', '1.005000000']);
    expect(lines.slice(7)).toEqual(['00000000deadbeef', 'ff', 'grüße', '']);
  });

  it('writes more than its buffer holds, in order', async () => {
    const app = compile(`${IMPORTS}
      for (let i = 0; i < 50000; i++) sdk.stdout.integer(i).line("");
      sdk.stdout.flush();`);
    const expected = Array.from({ length: 50_000 }, (_, i) => `${i}\n`).join('');
    expect(textOf(await run(app, {}))).toBe(expected);
  });

  it('reads inputs whole and by pieces, arguments, environment and offset, and writes output files', async () => {
    const app = compile(`${IMPORTS}
      const whole = sdk.readInput("data");
      const file = sdk.InputFile.open("/input/data");
      const buffer = heap.alloc(8);
      file.seek(file.sizeBytes() - 3);
      const count = file.read(buffer, 8);
      sdk.stdout.integer(whole.length).text(" ").bytes(buffer, count).text(" ").integer(sdk.inputOffset());
      sdk.stdout.text(" ").text(sdk.args().join("+")).text(" ").text(sdk.environment("MODE") || "");
      sdk.stdout.text(sdk.environment("ABSENT") === null ? " none" : " some").flush();
      sdk.Output.file("/output/copy").bytes(changetype<usize>(whole), whole.length).flush();`);
    const result = await run(app, {
      inputs: { data: Buffer.from('0123456789') },
      offset: 2,
      args: ['a', 'b c', 'ü'],
      env: { MODE: 'fast' },
      outputs: ['stdout', 'copy'],
    });
    expect(result.outcome).toBe('ok');
    expect(textOf(result)).toBe('8 789 2 a+b c+ü fast none');
    expect(textOf(result, 'copy')).toBe('23456789');
  });

  it('ends a unit as failed, and says why', async () => {
    const app = compile(`${IMPORTS}
      const way = sdk.args()[0];
      const one: i32[] = [1];
      assert(way != "assert", "too few arguments");
      if (way == "throw") throw new Error("nothing to do");
      if (way == "index") sdk.stdout.integer(one[way.length]);
      if (way == "input") sdk.readInput("nowhere");
      if (way == "fail") sdk.fail("as you wish", 7);`);
    const endings = [];
    for (const way of ['assert', 'throw', 'index', 'input', 'fail', 'well']) {
      const { outcome, exitCode, stderr } = await run(app, { args: [way] });
      endings.push([way, outcome, exitCode, stderr.replace(/ (at|\(errno) .*\n?/s, '').trim()]);
    }
    expect(endings).toEqual([
      ['assert', 'exit', 134, 'too few arguments'],
      ['throw', 'exit', 134, 'nothing to do'],
      ['index', 'exit', 134, 'Index out of range'],
      ['input', 'exit', 1, 'cannot open /input/nowhere'],
      ['fail', 'exit', 7, 'as you wish'],
      ['well', 'ok', 0, ''],
    ]);
  });

  it('has random numbers and traces without imports of its own', async () => {
    const app = compile(`${IMPORTS}
      trace("value", 1, 0.5);
      sdk.stdout.fixed(Math.random(), 9).flush();`);
    expect(app.imports.every((name) => /^(wasi_snapshot_preview1|gleaner)\./.test(name))).toBe(true);
    const [first, second] = [await run(app, {}), await run(app, {})];
    expect(first.stderr).toBe('trace: value 0.5\n');
    expect(textOf(first)).toMatch(/^0\.\d{9}$/);
    expect(textOf(second)).toBe(textOf(first));
  });
});
