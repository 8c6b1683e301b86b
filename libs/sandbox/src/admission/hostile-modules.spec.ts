import { describe, expect, it } from 'vitest';
import { ADMISSION_LIMITS } from '../binary/limits.js';
import { ByteWriter } from '../binary/byte-writer.js';
import type { SECTION } from '../binary/wasm-module.js';
import { binaryModule, codeOf, nameOf, vectorOf } from '../testing/binary-module.js';
import { admitModule } from './index.js';

function refusal(bytes: Uint8Array) {
  const admission = admitModule(bytes);
  if (admission.admitted) throw new Error('admitted');
  return admission.errors[0];
}

/** `count` times the same bytes behind their count. */
function manyOf(count: number, ...item: number[]): ByteWriter {
  const content = new ByteWriter(count * item.length + 8).u32(count);
  for (let i = 0; i < count; i++) for (const byte of item) content.u8(byte);
  return content;
}

const nothing = ['type', vectorOf([0x60, 0, 0])] as const;
const oneFunction = ['function', vectorOf([0])] as const;

describe('a module that announces more than is admitted', () => {
  it.each<[what: keyof typeof ADMISSION_LIMITS, section: keyof typeof SECTION, item: readonly number[]]>([
    ['types', 'type', [0x60, 0, 0]],
    ['imports', 'import', [0, 0, 2, 0, 0]],
    ['functions', 'function', [0]],
    ['tables', 'table', [0x70, 0, 0]],
    ['memories', 'memory', [0, 0]],
    ['globals', 'global', [0x7f, 0, 0x41, 0, 0x0b]],
    ['exports', 'export', [0, 0, 0]],
    ['segments', 'element', [0, 0x41, 0, 0x0b, 0]],
    ['segments', 'data', [1, 0]],
  ])('is refused at the count of its %s (%s), before an item is read', (what, section, item) => {
    const bytes = binaryModule([section, manyOf(ADMISSION_LIMITS[what] + 1, ...item)]);
    const sizeBytes = new ByteWriter().u32((ADMISSION_LIMITS[what] + 1) * item.length + 3).length;
    expect(refusal(bytes)).toMatchObject({ rule: 'too-large' });
    expect(refusal(bytes)?.offset).toBeLessThanOrEqual(8 + 1 + sizeBytes);
    expect(refusal(bytes)?.message).toContain(what);
  });

  it('is refused where a type has too many parameters, or all of them together', () => {
    const wide = vectorOf([0x60, 0x81, 0x01, ...Array<number>(129).fill(0x7f), 0]);
    expect(refusal(binaryModule(['type', wide]))).toMatchObject({ rule: 'too-large', offset: 8 + 2 + 1 + 2 });
    const item = [0x60, 100, ...Array<number>(100).fill(0x7f), 100, ...Array<number>(100).fill(0x7f)];
    const count = ADMISSION_LIMITS.parametersAndResultsTogether / 200 + 1;
    expect(refusal(binaryModule(['type', manyOf(count, ...item)]))).toMatchObject({ rule: 'too-large' });
  });

  it('is refused where declarations of locals are too many, though they declare none', () => {
    const groups = ADMISSION_LIMITS.localsPerFunction;
    const functions = ADMISSION_LIMITS.localGroupsTogether / groups + 1;
    const one = new ByteWriter().sized(manyOf(groups, 0, 0x7f).u8(0x0b)).view();
    const code = new ByteWriter().u32(functions);
    for (let i = 0; i < functions; i++) code.raw(one);
    const bytes = binaryModule(nothing, ['function', manyOf(functions, 0)], ['code', code]);
    expect(refusal(bytes)).toMatchObject({ rule: 'too-large' });
    expect(refusal(bytes)?.message).toContain('localGroupsTogether');
  });

  it('is refused at a function larger than engines compile, before it is decoded', () => {
    const code = codeOf(new Uint8Array(ADMISSION_LIMITS.functionBytes).fill(1));
    const bytes = binaryModule(nothing, oneFunction, ['code', code]);
    expect(refusal(bytes)).toMatchObject({ rule: 'too-large' });
    expect(refusal(bytes)?.message).toContain('functionBytes');
  });

  it('is refused at the first name of a function that does not exist', () => {
    const elements = new ByteWriter().raw(Uint8Array.of(1, 1, 0, 3, 0, 9, 9));
    expect(refusal(binaryModule(nothing, oneFunction, ['element', elements]))).toMatchObject({
      rule: 'unknown-function',
      message: 'There is no function 9.',
    });
  });

  it('is refused for too many custom sections', () => {
    const out = new ByteWriter().raw(binaryModule());
    for (let i = 0; i <= ADMISSION_LIMITS.customSections; i++) out.raw(Uint8Array.of(0, 1, 0));
    expect(refusal(out.view().slice())).toMatchObject({ rule: 'too-large' });
  });
});

describe('a module whose sections are not in order', () => {
  it('is refused at the section that stands too late', () => {
    const bytes = binaryModule(['function', vectorOf()], nothing);
    expect(refusal(bytes)).toMatchObject({ rule: 'malformed-section-order', offset: 8 + 3 });
  });
});

describe("a stepping app's globals", () => {
  const steppingApp = (global: readonly number[]) =>
    binaryModule(
      ['type', vectorOf([0x60, 0, 1, 0x7f])],
      oneFunction,
      ['memory', vectorOf([0, 1])],
      ['global', vectorOf(global)],
      ['export', vectorOf([...nameOf('gleaner_step'), 0, 0])],
    );

  it.each([
    ['nothing', [0x7c, 1, 0x0b]],
    ['a constant of another type', [0x7c, 1, 0x41, 0, 0x0b]],
    ['a shorter float', [0x7c, 1, 0x43, 0, 0, 0xc0, 0x7f, 0x0b]],
  ])('may be initialised with %s, which is refused with a reason', (_, global) => {
    const refused = refusal(steppingApp(global));
    expect(refused?.rule).toMatch(/^(invalid-module|malformed-code|snapshot-global)$/);
  });
});

describe('names in a module', () => {
  const app = [
    nothing,
    oneFunction,
    ['memory', vectorOf([0, 1])],
    ['export', vectorOf([...nameOf('_start'), 0, 0])],
    ['code', codeOf(Uint8Array.of(0x0b))],
  ] as const;
  const customSection = (name: string) => ['custom', new ByteWriter().name(name)] as const;
  const warningsAbout = (...sections: readonly string[]): string => {
    const admission = admitModule(binaryModule(...app, ...sections.map(customSection)));
    if (!admission.admitted) throw new Error(admission.errors[0]?.message);
    return admission.report.warnings.join(' ');
  };
  const importing = (module: string) =>
    binaryModule(nothing, ['import', vectorOf([...nameOf(module), ...nameOf('f'), 0, 0])]);

  it('are shown as text that neither a terminal nor a database stumbles over', () => {
    expect(warningsAbout('.debug_a\0b\u001b[31m\u202e')).toContain('(.debug_a\\u{0}b\\u{1b}[31m\\u{202e})');
    expect(refusal(importing('a\0\n'))?.message).toMatch(/^a\\u\{0\}\\u\{a\}\.f: imports come from/);
  });

  it('are shown in part, however long and many they are', () => {
    expect(warningsAbout(`.debug_${'x'.repeat(100_000)}`).length).toBeLessThan(500);
    const many = Array.from({ length: 5_000 }, (_, at) => `.debug_${at}`);
    expect(warningsAbout(...many)).toContain('.debug_1003, 4992 more)');
    expect(refusal(importing('x'.repeat(100_000)))?.message.length).toBeLessThan(500);
  });
});
