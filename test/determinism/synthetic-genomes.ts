/** FASTA files for mutation-map: a reference and genomes that differ from it, the same in every run. */
export function syntheticGenomes(count: number): {
  readonly genomes: Uint8Array;
  readonly reference: Uint8Array;
} {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor(((state >>> 8) / 2 ** 24) * below);
  };
  const bases = (length: number): string => Array.from({ length }, () => 'ACGT'[random(4)]).join('');
  const reference = bases(3000);
  /** Substitutions, unknown bases, a deletion or an insertion. */
  const mutated = (): string => {
    const at = random(2500);
    const gap = random(2) === 0 ? reference.slice(at + 30) : bases(12) + reference.slice(at);
    return (reference.slice(0, at) + gap).replace(/./g, (base) =>
      random(200) === 0 ? 'ACGTN'[random(5)]! : base,
    );
  };
  const record = (name: string, sequence: string): string =>
    `>${name}\n${sequence.replace(/.{70}/g, '$&\n')}\n`;
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  return {
    genomes: encode(Array.from({ length: count }, (_, i) => record(`genome ${i}`, mutated())).join('')),
    reference: encode(record('reference', reference)),
  };
}
