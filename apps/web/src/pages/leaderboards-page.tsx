import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { boardQuery, myAccountQuery, type Board, type Period } from '../api/queries';
import { useSessionToken } from '../api/session';
import { BoardTable } from '../ui/board-table';
import { Button, Empty, PageTitle, Panel } from '../ui/parts';
import type { BoardSearch } from './board-search';

const PAGE_ROWS = 50;
const BOARDS: ReadonlyArray<{ readonly board: Board; readonly name: string }> = [
  { board: 'accounts', name: 'People' },
  { board: 'hosts', name: 'Machines' },
];
const PERIODS: ReadonlyArray<{ readonly period: Period; readonly name: string; readonly valueName: string }> =
  [
    { period: 'all', name: 'All time', valueName: 'Validated' },
    { period: 'rac', name: 'Recent average', valueName: 'Per day' },
    { period: 'day', name: 'Today', valueName: 'Today' },
    { period: 'week', name: 'This week', valueName: 'This week' },
    { period: 'month', name: 'This month', valueName: 'This month' },
  ];

export function LeaderboardsPage() {
  const search = useSearch({ from: '/leaderboards' });
  const { board = 'accounts', period = 'all', page = 1, q } = search;
  const { data } = useQuery(
    boardQuery({ board, period, page, limit: PAGE_ROWS, ...(q !== undefined && { q }) }),
  );
  const { data: me } = useQuery(myAccountQuery(useSessionToken()));
  const rows = data?.items ?? [];
  const shown = PERIODS.find((known) => known.period === period);
  return (
    <>
      <PageTitle lead="Executed instructions of results that independent volunteers agreed on. Nothing else counts.">
        Leaderboards
      </PageTitle>
      <div className="mb-5 flex flex-wrap items-center gap-3">
        <Choices label="Boards">
          {BOARDS.map(({ board: other, name }) => (
            <Choice
              key={other}
              search={boardSearch({ board: other, period })}
              isChosen={other === board}
              name={name}
            />
          ))}
        </Choices>
        <Choices label="Periods">
          {PERIODS.map(({ period: other, name }) => (
            <Choice
              key={other}
              search={boardSearch({ board, period: other })}
              isChosen={other === period}
              name={name}
            />
          ))}
        </Choices>
        <NameSearch key={`${board} ${q ?? ''}`} board={board} period={period} q={q ?? ''} />
      </div>
      {data && rows.length === 0 ? (
        <Empty>{emptyText(q, page)}</Empty>
      ) : (
        <Panel className="py-3! sm:py-4!">
          <BoardTable
            rows={rows}
            caption={`${board === 'accounts' ? 'People' : 'Machines'} by validated cycles: ${shown?.name ?? ''}`}
            mine={board === 'accounts' ? me?.id : undefined}
            valueName={shown?.valueName ?? ''}
          />
        </Panel>
      )}
      {q === undefined && data && (
        <Pager search={search} page={page} pages={Math.ceil(data.total / PAGE_ROWS)} />
      )}
    </>
  );
}

function emptyText(q: string | undefined, page: number): string {
  if (q !== undefined) return `Nobody on this board is called anything like “${q}”.`;
  if (page > 1) return 'The board ends before this page.';
  return 'Nobody has earned credit here yet: the first validated result opens this board.';
}

/** The defaults stay out of the address. */
function boardSearch({ board, period }: { readonly board: Board; readonly period: Period }): BoardSearch {
  return { ...(board === 'hosts' && { board }), ...(period !== 'all' && { period }) };
}

function Choices({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <nav
      aria-label={label}
      className="flex max-w-full overflow-x-auto rounded-xl border border-line bg-sunken p-1"
    >
      {children}
    </nav>
  );
}

function Choice({
  search,
  isChosen,
  name,
}: {
  readonly search: BoardSearch;
  readonly isChosen: boolean;
  readonly name: string;
}) {
  return (
    <Link
      to="/leaderboards"
      search={search}
      activeOptions={{ exact: true, includeSearch: true }}
      aria-current={isChosen ? 'page' : undefined}
      className={`rounded-lg px-3.5 py-2 text-sm font-semibold whitespace-nowrap no-underline ${
        isChosen ? 'bg-panel text-ink shadow-sm' : 'text-muted hover:text-ink'
      }`}
    >
      {name}
    </Link>
  );
}

function NameSearch({
  board,
  period,
  q,
}: {
  readonly board: Board;
  readonly period: Period;
  readonly q: string;
}) {
  const navigate = useNavigate();
  return (
    <form
      role="search"
      className="flex min-w-60 flex-1 gap-2"
      action={(form) => {
        const name = form.get('q');
        const search = {
          ...boardSearch({ board, period }),
          ...(typeof name === 'string' && name !== '' && { q: name }),
        };
        void navigate({ to: '/leaderboards', search });
      }}
    >
      <input
        type="search"
        name="q"
        aria-label="Name"
        placeholder="Find a name"
        maxLength={80}
        defaultValue={q}
        className="min-h-11 w-full min-w-0 rounded-lg border border-muted bg-panel px-3 placeholder:text-muted"
      />
      <Button type="submit" look="quiet">
        Find
      </Button>
    </form>
  );
}

function Pager({
  search,
  page,
  pages,
}: {
  readonly search: BoardSearch;
  readonly page: number;
  readonly pages: number;
}) {
  const navigate = useNavigate();
  if (pages < 2 && page === 1) return null;
  const go = (to: number): void => {
    void navigate({ to: '/leaderboards', search: { ...search, page: to } });
  };
  return (
    <nav aria-label="Ranks" className="figure mt-5 flex flex-wrap items-center justify-center gap-3">
      <Button look="quiet" disabled={page <= 1} onClick={() => go(page - 1)}>
        Higher ranks
      </Button>
      <span className="text-muted">
        page {page.toLocaleString('en')} of {pages.toLocaleString('en')}
      </span>
      <Button look="quiet" disabled={page >= pages} onClick={() => go(page + 1)}>
        Lower ranks
      </Button>
    </nav>
  );
}
