import type { ReactNode } from 'react';

/** A row of links of which one is chosen; where a phone has no room for it, two rows. */
export function Choices({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <nav aria-label={label} className="flex max-w-full flex-wrap rounded-xl border border-line bg-sunken p-1">
      {children}
    </nav>
  );
}

/** How one of {@link Choices} looks, also where the system chooses the colours. */
export function choiceClass(isChosen: boolean): string {
  return `rounded-lg px-3.5 py-2 text-sm font-semibold whitespace-nowrap no-underline ${
    isChosen
      ? 'bg-panel text-ink shadow-sm decoration-2 underline-offset-4 forced-colors:underline'
      : 'text-muted hover:text-ink'
  }`;
}
