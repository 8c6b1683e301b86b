import { useEffect } from 'react';

const SITE = 'Gleaner';

/** Names the tab, its entry in the history, and a bookmark of it, for as long as the page is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${SITE}`;
    return () => {
      document.title = SITE;
    };
  }, [title]);
}
