import type { BoardRow, Host } from '@gleaner/client';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { myHostsQuery, myTeamQuery } from '../../api/people-queries';
import { boardRowQuery, type Board, type Period } from '../../api/queries';
import { BoardTable } from '../../ui/board-table';
import { Panel } from '../../ui/parts';
import { PAGE_ROWS, type BoardSearch } from '../board-search';

/** What one's own row is called. */
export const MINE: Readonly<Record<Board, string>> = {
  accounts: 'you',
  teams: 'your team',
  hosts: 'yours',
};

/** One's own row: the person's, their team's, or that of the machine of theirs that gave most. */
export function useMyRow(board: Board, period: Period, accountId: string | null): BoardRow | undefined {
  const { data: team } = useQuery({
    ...myTeamQuery(accountId),
    enabled: accountId !== null && board === 'teams',
  });
  const { data: hosts } = useInfiniteQuery({
    ...myHostsQuery(accountId),
    enabled: accountId !== null && board === 'hosts',
    refetchInterval: false,
  });
  const ids: Readonly<Record<Board, string | null | undefined>> = {
    accounts: accountId,
    teams: team?.id,
    hosts: hosts && bestOf(hosts.pages.flatMap(({ items }) => items))?.id,
  };
  const id = ids[board] ?? null;
  const { data: row } = useQuery(boardRowQuery(board, period, id));
  return id === null ? undefined : (row ?? undefined);
}

function bestOf(hosts: readonly Host[]): Host | undefined {
  return hosts.reduce<Host | undefined>(
    (best, host) => (best && BigInt(best.credit) >= BigInt(host.credit) ? best : host),
    undefined,
  );
}

/** One's own row where the page does not hold it, with the way to where it stands. */
export function MyPlace({
  row,
  board,
  search,
  valueName,
}: {
  readonly row: BoardRow;
  readonly board: Board;
  readonly search: BoardSearch;
  readonly valueName: string;
}) {
  const page = row.rank === null ? null : Math.ceil(row.rank / PAGE_ROWS);
  return (
    <Panel className="mb-4 border-accent! py-2! sm:py-3!">
      <BoardTable
        rows={[row]}
        caption="Your place"
        mine={row.id}
        mineName={MINE[board]}
        valueName={valueName}
        isOfTeams={board === 'teams'}
        isHeadless
      />
      {page !== null && (
        <p className="pb-1 text-sm">
          <Link to="/leaderboards" search={{ ...search, ...(page > 1 && { page }) }} className="link">
            Show who is around you
          </Link>
        </p>
      )}
    </Panel>
  );
}
