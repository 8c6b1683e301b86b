import binaryen from 'assemblyscript/binaryen';

/** The binary of a module written as WebAssembly text. */
export function bytesOfText(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(binaryen.Features.All);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
