import { memo } from 'react';

interface Kind {
  readonly letter: string;
  readonly name: string;
  readonly color: string;
}

/** In the order of a unit's life; the letters are the coordinator's. What matters most is told by more than its colour. */
const KINDS: readonly Kind[] = [
  { letter: 'o', name: 'waiting', color: 'bg-sunken ring-1 ring-inset ring-line' },
  { letter: 'c', name: 'computing', color: 'bg-busy rounded-full!' },
  { letter: 'r', name: 'waiting for agreement', color: 'bg-grain' },
  { letter: 'p', name: 'partly valid', color: 'bg-good/50' },
  { letter: 'v', name: 'valid', color: 'bg-good' },
  { letter: 'f', name: 'failed', color: 'bg-bad striped' },
  { letter: 'x', name: 'cancelled', color: 'bg-muted/50' },
];
const COLORS = new Map(KINDS.map(({ letter, color }) => [letter, color]));

const Square = memo(function Square({ letter }: { readonly letter: string }) {
  return (
    <span
      className={`aspect-square rounded-[3px] transition-colors duration-500 ${COLORS.get(letter) ?? ''}`}
    />
  );
});

/** The whole job at a glance: each unit, or run of units, a square. */
export function UnitSquares({
  squares,
  unitsPerSquare,
}: {
  readonly squares: string;
  readonly unitsPerSquare: number;
}) {
  const letters = squares.split('');
  const present = KINDS.map((kind) => ({
    ...kind,
    count: letters.filter((letter) => letter === kind.letter).length,
  })).filter(({ count }) => count > 0);
  const size = letters.length <= 64 ? '1.75rem' : letters.length <= 256 ? '1.25rem' : '0.8rem';
  return (
    <figure>
      <div
        role="img"
        aria-label={`${letters.length} ${letters.length === 1 ? 'square' : 'squares'} of ${unitsPerSquare} ${unitsPerSquare === 1 ? 'unit' : 'units'}: ${present.map(({ name, count }) => `${count} ${name}`).join(', ')}`}
        // Its colours are what it tells.
        className="grid gap-[3px] forced-color-adjust-none"
        style={{ gridTemplateColumns: `repeat(auto-fill, minmax(${size}, 1fr))` }}
      >
        {letters.map((letter, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- a square is its place: squares never move
          <Square key={index} letter={letter} />
        ))}
      </div>
      <figcaption className="figure mt-4 flex flex-wrap gap-x-5 gap-y-2 text-sm text-muted">
        {present.map(({ name, color, count }) => (
          <span key={name} className="inline-flex items-center gap-2">
            <span aria-hidden="true" className={`size-3 rounded-[3px] forced-color-adjust-none ${color}`} />
            {count.toLocaleString('en')} {name}
          </span>
        ))}
        {unitsPerSquare > 1 && <span>each square: {unitsPerSquare.toLocaleString('en')} units</span>}
      </figcaption>
    </figure>
  );
}
