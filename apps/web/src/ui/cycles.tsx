import { formatCycles, groupDigits } from './format-cycles';

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
