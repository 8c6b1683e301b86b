import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { boardQuery, myAccountQuery, type Board } from '../api/queries';
import { useSessionToken } from '../api/session';
import { BoardTable } from '../ui/board-table';
import { Button, Empty, PageTitle, Panel } from '../ui/parts';

const PAGE_ROWS = 50;
const BOARDS: ReadonlyArray<{ readonly board: Board; readonly name: string }> = [
  { board: 'accounts', name: 'People' },
  { board: 'hosts', name: 'Machines' },
];

export function LeaderboardsPage() {
  const { board = 'accounts' } = useSearch({ from: '/leaderboards' }) as { board?: Board };
  const { data, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    boardQuery(board, PAGE_ROWS),
  );
  const { data: me } = useQuery(myAccountQuery(useSessionToken()));
  const rows = data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <>
      <PageTitle lead="Executed instructions of results that independent volunteers agreed on. Nothing else counts.">
        Leaderboards
      </PageTitle>
      <nav aria-label="Boards" className="mb-5 inline-flex rounded-xl border border-line bg-sunken p-1">
        {BOARDS.map(({ board: other, name }) => (
          <Link
            key={other}
            to="/leaderboards"
            search={other === 'hosts' ? { board: 'hosts' } : {}}
            aria-current={other === board ? 'page' : undefined}
            className={`rounded-lg px-4 py-2 font-semibold no-underline ${other === board ? 'bg-panel text-ink shadow-sm' : 'text-muted hover:text-ink'}`}
          >
            {name}
          </Link>
        ))}
      </nav>
      {data && rows.length === 0 ? (
        <Empty>Nobody has earned credit yet: the first validated result opens this board.</Empty>
      ) : (
        <Panel className="py-3! sm:py-4!">
          <BoardTable
            rows={rows}
            caption={`${board === 'accounts' ? 'People' : 'Machines'} by validated cycles of all time`}
            mine={board === 'accounts' ? me?.id : undefined}
          />
        </Panel>
      )}
      {hasNextPage && (
        <div className="mt-5 text-center">
          <Button look="quiet" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {isFetchingNextPage ? 'Loading …' : 'Show more'}
          </Button>
        </div>
      )}
    </>
  );
}
