import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { boardQuery, type Board, type Period } from '../api/queries';
import { useSession } from '../api/session';
import { BoardTable } from '../ui/board-table';
import { Choices, choiceClass } from '../ui/choices';
import { isolate } from '../ui/isolate';
import { Button, Empty, PageTitle, Panel } from '../ui/parts';
import { NotLoaded } from '../ui/waiting';
import { PAGE_ROWS, readBoardSearch, type BoardSearch } from './board-search';
import { MINE, MyPlace, useMyRow } from './leaderboards/my-place';

const BOARDS: ReadonlyArray<{ readonly board: Board; readonly name: string; readonly empty: string }> = [
  { board: 'accounts', name: 'People', empty: 'Nobody has earned credit here yet' },
  { board: 'teams', name: 'Teams', empty: 'No team has earned credit here yet' },
  { board: 'hosts', name: 'Machines', empty: 'No machine has earned credit here yet' },
];
const PERIODS: ReadonlyArray<{ readonly period: Period; readonly name: string; readonly valueName: string }> =
  [
    { period: 'all', name: 'All time', valueName: 'Validated' },
    { period: 'rac', name: 'Recent average', valueName: 'Per day' },
    { period: 'day', name: 'Today', valueName: 'Today' },
    { period: 'week', name: 'This week', valueName: 'This week' },
    { period: 'month', name: 'This month', valueName: 'This month' },
  ];

/** Wherever the reader is, they are the coordinator's. */
const PERIODS_OF_DAYS: readonly Period[] = ['day', 'week', 'month'];

export function LeaderboardsPage() {
  // The router keeps in the search what its validation has left out.
  const search = readBoardSearch(useSearch({ from: '/leaderboards' }));
  const { board = 'accounts', period = 'all', page = 1, q } = search;
  const { data, error, refetch } = useQuery(
    boardQuery({ board, period, page, limit: PAGE_ROWS, ...(q !== undefined && { q }) }),
  );
  const accountId = useSession();
  const mine = useMyRow(board, period, accountId);
  const rows = data?.items ?? [];
  const shownBoard = BOARDS.find((known) => known.board === board);
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
      {mine && !rows.some(({ id }) => id === mine.id) && (
        <MyPlace
          row={mine}
          board={board}
          search={{ ...boardSearch({ board, period }) }}
          valueName={shown?.valueName ?? ''}
        />
      )}
      {!data && error ? (
        <NotLoaded what="the board" error={error} onRetry={refetch} />
      ) : data && rows.length === 0 ? (
        <Empty>{emptyText(shownBoard?.empty ?? '', { q, page, isCutShort: data.isCutShort })}</Empty>
      ) : (
        <Panel className="py-3! sm:py-4!">
          <BoardTable
            rows={rows}
            caption={`${shownBoard?.name ?? ''} by validated cycles: ${shown?.name ?? ''}`}
            mine={mine?.id}
            mineName={MINE[board]}
            isOfTeams={board === 'teams'}
            valueName={shown?.valueName ?? ''}
          />
        </Panel>
      )}
      {PERIODS_OF_DAYS.includes(period) && (
        <p className="mt-4 text-sm text-muted">Days, weeks and months begin at midnight UTC.</p>
      )}
      {data?.isCutShort === true && rows.length > 0 && (
        <p role="status" className="mt-4 text-muted">
          The search took too long and was ended: more names may have “<bdi>{q}</bdi>” in them. A longer part
          of the name finds them.
        </p>
      )}
      {board === 'teams' && (
        <p className="mt-4">
          <Link to="/teams" className="link">
            Join a team, or found yours
          </Link>
        </p>
      )}
      {q === undefined && data && (
        <Pager search={search} page={page} pages={Math.max(1, Math.ceil(data.total / PAGE_ROWS))} />
      )}
    </>
  );
}

function emptyText(
  nothing: string,
  {
    q,
    page,
    isCutShort,
  }: { readonly q: string | undefined; readonly page: number; readonly isCutShort: boolean },
): string {
  if (isCutShort) {
    return 'The search took too long and was ended before anybody was found. Try a longer part of the name, or how it begins.';
  }
  if (q !== undefined) return `Nobody was found whose name begins with “${isolate(q)}” or has it elsewhere.`;
  if (page > 1) return 'The board ends before this page.';
  return `${nothing}: the first validated result opens this board.`;
}

/** The defaults stay out of the address. */
function boardSearch({ board, period }: { readonly board: Board; readonly period: Period }): BoardSearch {
  return { ...(board !== 'accounts' && { board }), ...(period !== 'all' && { period }) };
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
      className={choiceClass(isChosen)}
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
      <Button look="quiet" disabled={page <= 1} onClick={() => go(Math.min(page - 1, pages))}>
        Higher ranks
      </Button>
      <span className="order-first basis-full text-center text-muted sm:order-none sm:basis-auto">
        {page > pages
          ? `after the last page, of ${pages.toLocaleString('en')}`
          : `page ${page.toLocaleString('en')} of ${pages.toLocaleString('en')}`}
      </span>
      <Button look="quiet" disabled={page >= pages} onClick={() => go(page + 1)}>
        Lower ranks
      </Button>
      <form
        className="flex items-center gap-2"
        action={(form) => {
          const rank = Number(form.get('rank'));
          if (Number.isInteger(rank) && rank >= 1) go(Math.min(pages, Math.ceil(rank / PAGE_ROWS)));
        }}
      >
        <input
          type="number"
          name="rank"
          min={1}
          aria-label="Rank"
          placeholder="rank"
          className="min-h-11 w-28 rounded-lg border border-muted bg-panel px-3 placeholder:text-muted"
        />
        <Button type="submit" look="quiet">
          Go to rank
        </Button>
      </form>
    </nav>
  );
}
