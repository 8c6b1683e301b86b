import { formatCycles, groupDigits } from './format-cycles';

const ROUNDED_FROM = 1000n;

/** The exact figure, for those who have nothing to hover with; nothing where people's units are exact. */
export function ExactCycles({
  value,
  className = '',
}: {
  readonly value: string;
  readonly className?: string;
}) {
  if (BigInt(value) < ROUNDED_FROM) return null;
  return <span className={`figure block text-sm ${className}`}>exactly {groupDigits(value)} cycles</span>;
}

/** A figure of cycles in people's units; the exact one on hover. */
export function Cycles({ value, unit = 'cycles' }: { readonly value: string; readonly unit?: string }) {
  const text = formatCycles(value);
  return (
    <data value={value} className="figure whitespace-nowrap" title={`${groupDigits(value)} ${unit}`}>
      {text}
      {/\d$/.test(text) ? ' ' : ''}
      {unit}
    </data>
  );
}
