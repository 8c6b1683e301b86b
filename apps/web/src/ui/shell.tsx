import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, type RefObject } from 'react';
import { useReachability, type Reachability } from '../api/reachability';
import { formatDuration } from './estimate-remaining';
import { useKeptFocus } from './keep-focus';
import { chooseTheme, useTheme, type Theme } from './theme';

const PAGES = [
  { to: '/volunteer', name: 'Volunteer' },
  { to: '/jobs', name: 'Jobs' },
  { to: '/leaderboards', name: 'Leaderboards' },
  // At the foot of the page on a phone, whose line is full.
  { to: '/statistics', name: 'Statistics', isWideOnly: true },
  { to: '/account', name: 'My account' },
] as const;

/** What every page stands in. */
export function Shell() {
  const content = useRef<HTMLElement>(null);
  useFocusOnArrival(content);
  useKeptFocus(content);
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#content"
        className="sr-only rounded-md bg-grain p-3 text-on-grain focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-20"
      >
        Skip to the content
      </a>
      <header className="border-b border-line bg-panel">
        <div className="shell flex flex-wrap items-center gap-x-6 gap-y-1 py-3">
          <Link to="/" className="flex items-center gap-2.5 font-display text-xl no-underline">
            <img src="/mark.svg" alt="" width="30" height="30" />
            Gleaner
          </Link>
          <nav
            aria-label="Pages"
            className="order-last -mx-1.5 flex w-full flex-wrap justify-between gap-0.5 sm:-mx-2 sm:order-none sm:w-auto sm:justify-start sm:gap-1"
          >
            {PAGES.map(({ to, name, ...page }) => (
              <Link
                key={to}
                to={to}
                className={`${'isWideOnly' in page ? 'hidden sm:block' : ''} rounded-md px-1.5 py-2 text-sm whitespace-nowrap sm:px-2.5 sm:text-[0.95rem] text-muted no-underline hover:text-ink`}
                activeProps={{
                  className:
                    'text-ink! font-semibold underline decoration-grain decoration-2 underline-offset-8',
                }}
              >
                {name}
              </Link>
            ))}
          </nav>
          <ThemeSwitch />
        </div>
      </header>
      <Trouble />
      <main ref={content} id="content" tabIndex={-1} className="shell flex-1 py-8 outline-none sm:py-12">
        <Outlet />
      </main>
      <footer className="border-t border-line">
        <div className="shell flex flex-wrap gap-x-6 gap-y-2 py-6 text-sm text-muted">
          <span>Gleaner gathers computer time that people leave unused, and gives it to science.</span>
          <Link className="underline hover:text-ink sm:ml-auto" to="/teams">
            Teams
          </Link>
          <Link className="underline hover:text-ink" to="/statistics">
            Statistics
          </Link>
          <a className="underline hover:text-ink" href="/v1/docs">
            API
          </a>
          <a className="underline hover:text-ink" href="/v1/stats">
            Figures as JSON
          </a>
          <a className="underline hover:text-ink" href="/v1/status">
            Status as JSON
          </a>
        </div>
      </footer>
    </div>
  );
}

/** The keyboard and the screen reader go on at the page that was asked for, not at the link that led to it. */
function useFocusOnArrival(content: RefObject<HTMLElement | null>): void {
  const path = useRouterState({ select: ({ resolvedLocation }) => resolvedLocation?.pathname });
  const shown = useRef(path);
  useEffect(() => {
    const isArrival = shown.current !== undefined && shown.current !== path;
    shown.current = path;
    // Where to scroll to is the router's business: back to where one was.
    if (isArrival) content.current?.focus({ preventScroll: true });
  }, [content, path]);
}

function Trouble() {
  const reachability = useReachability();
  const sentence = sentenceOf(reachability);
  return (
    <div role="status" className={sentence === null ? '' : 'bg-bad text-white dark:text-black'}>
      {sentence !== null && <p className="shell py-2 text-sm font-medium">{sentence}</p>}
    </div>
  );
}

function sentenceOf(reachability: Reachability): string | null {
  switch (reachability.kind) {
    case 'there':
      return null;
    case 'away':
      return 'The coordinator does not answer. This page keeps trying, and goes on by itself.';
    case 'waiting': {
      const wait = formatDuration((reachability.untilMs - Date.now()) / 1000);
      return `The coordinator had too many requests from your network. This page goes on by itself in about ${wait}.`;
    }
  }
}

function ThemeSwitch() {
  const theme = useTheme();
  const other: Theme = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      aria-label={`Use the ${other} theme`}
      className="ml-auto grid size-10 cursor-pointer place-items-center rounded-lg border border-line text-muted hover:text-ink"
      onClick={() => chooseTheme(other)}
    >
      <svg
        viewBox="0 0 24 24"
        width="18"
        height="18"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        aria-hidden="true"
      >
        {theme === 'dark' ? (
          <>
            <circle cx="12" cy="12" r="4.500" />
            <path
              strokeLinecap="round"
              d="M12 2v2.500M12 19.500V22M2 12h2.500M19.500 12H22M4.900 4.900l1.800 1.800M17.300 17.300l1.800 1.800M19.100 4.900l-1.800 1.800M6.700 17.300l-1.800 1.800"
            />
          </>
        ) : (
          <path
            strokeLinejoin="round"
            d="M20.500 14.500A8.500 8.500 0 0 1 9.500 3.500a8.500 8.500 0 1 0 11 11z"
          />
        )}
      </svg>
    </button>
  );
}
