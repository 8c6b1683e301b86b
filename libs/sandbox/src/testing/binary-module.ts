import { ByteWriter } from '../binary/byte-writer.js';
import { SECTION } from '../binary/wasm-module.js';

type SectionName = keyof typeof SECTION;

/** For tests: a module of the given sections, in the given order, whether or not that makes a valid module. */
export function binaryModule(
  ...sections: ReadonlyArray<readonly [name: SectionName, content: ByteWriter]>
): Uint8Array {
  const out = new ByteWriter().raw(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  for (const [name, content] of sections) out.u8(SECTION[name]).sized(content);
  return out.view().slice();
}

/** For tests: the content of a section that is a vector of items. */
export function vectorOf(...items: ReadonlyArray<readonly number[]>): ByteWriter {
  const content = new ByteWriter().u32(items.length);
  for (const item of items) content.raw(Uint8Array.from(item));
  return content;
}

/** One item of a code section: a body without locals, `end` included by the caller. */
function bodyOf(instructions: Uint8Array): Uint8Array {
  const body = new ByteWriter(instructions.length + 1).u32(0).raw(instructions);
  return new ByteWriter(body.length + 5).sized(body).view();
}

/** For tests: a code section of bodies without locals. */
export function codeOf(...bodies: readonly Uint8Array[]): ByteWriter {
  const content = new ByteWriter().u32(bodies.length);
  for (const body of bodies) content.raw(bodyOf(body));
  return content;
}

/** For tests: a name as the binary format writes it. */
export function nameOf(text: string): number[] {
  return [...new ByteWriter().name(text).view()];
}
