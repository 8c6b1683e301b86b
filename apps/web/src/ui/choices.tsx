import { useLayoutEffect, useRef, type ReactNode } from 'react';

/** What stays visible beyond the chosen one. */
const EDGE_PIXELS = 8;

/** A row of links of which one is chosen. */
export function Choices({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const row = useRef<HTMLElement>(null);
  // On a phone the row is longer than the screen: what is chosen has to be seen.
  useLayoutEffect(() => {
    const chosen = row.current?.querySelector<HTMLElement>('[aria-current]');
    if (!row.current || !chosen) return;
    const end = chosen.offsetLeft + chosen.offsetWidth;
    if (end > row.current.clientWidth) row.current.scrollLeft = end - row.current.clientWidth + EDGE_PIXELS;
  }, []);
  return (
    <nav
      ref={row}
      aria-label={label}
      className="relative flex max-w-full overflow-x-auto rounded-xl border border-line bg-sunken p-1"
    >
      {children}
    </nav>
  );
}

/** How one of {@link Choices} looks. */
export function choiceClass(isChosen: boolean): string {
  return `rounded-lg px-3.5 py-2 text-sm font-semibold whitespace-nowrap no-underline ${
    isChosen ? 'bg-panel text-ink shadow-sm' : 'text-muted hover:text-ink'
  }`;
}
