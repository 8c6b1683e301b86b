import type { BoardRow } from '@gleaner/client';
import { Link } from '@tanstack/react-router';
import { Cycles } from './cycles';
import { formatCoreHours } from './format-cycles';

/** Ranks, names and what they gave. */
export function BoardTable({
  rows,
  caption,
  mine,
  mineName = 'you',
  valueName = 'Validated',
  valueUnit = 'cycles',
  isHeadless = false,
  isOfTeams = false,
}: {
  readonly rows: readonly BoardRow[];
  /** What the value is. */
  readonly valueName?: string;
  readonly valueUnit?: string;
  readonly caption: string;
  /** Id of the row to point out. */
  readonly mine?: string | undefined;
  /** What the row that is pointed out is called. */
  readonly mineName?: string;
  /** A row that stands above a table with the same columns. */
  readonly isHeadless?: boolean;
  /** Teams have pages, to which their names lead. */
  readonly isOfTeams?: boolean;
}) {
  return (
    <table className="w-full table-fixed border-collapse text-left">
      <caption className="sr-only">{caption}</caption>
      {/* Not in the head, which may be there for screen readers alone: two tables stand above each other. */}
      <colgroup>
        <col className="w-12 sm:w-16" />
        <col />
        <col className="w-30 sm:w-32" />
        <col className="hidden w-32 sm:table-column" />
        <col className="hidden w-24 sm:table-column" />
      </colgroup>
      <thead className={isHeadless ? 'sr-only' : ''}>
        <tr className="border-b border-line text-sm text-muted">
          <th scope="col" className="py-2 pr-2 font-medium sm:pr-3">
            Rank
          </th>
          <th scope="col" className="py-2 pr-3 font-medium">
            Name
          </th>
          <th scope="col" className="py-2 text-right font-medium sm:pr-3">
            {valueName}
          </th>
          <th scope="col" className="hidden py-2 pr-3 text-right font-medium sm:table-cell">
            Core-hours, about
          </th>
          <th scope="col" className="hidden py-2 text-right font-medium sm:table-cell">
            Tasks
          </th>
        </tr>
      </thead>
      <tbody className="figure">
        {rows.map((row) => (
          <tr
            key={row.id}
            className={`border-b border-line last:border-0 ${row.id === mine ? 'bg-sunken font-semibold' : ''}`}
          >
            <td className="py-3 pr-3">
              <Rank rank={row.rank} />
            </td>
            <th
              scope="row"
              className="py-3 pr-3 font-semibold [overflow-wrap:anywhere] sm:truncate"
              title={row.name}
            >
              {isOfTeams ? (
                <Link to="/teams/$teamId" params={{ teamId: row.id }} className="link">
                  <bdi>{row.name}</bdi>
                </Link>
              ) : (
                <bdi>{row.name}</bdi>
              )}
              {row.id === mine && <span className="ml-1 text-sm font-normal text-accent"> {mineName}</span>}
            </th>
            <td className="py-3 text-right sm:pr-3">
              <Cycles value={row.value} unit={valueUnit} />
            </td>
            <td className="hidden py-3 pr-3 text-right text-muted sm:table-cell">
              {formatCoreHours(row.value)}
            </td>
            <td className="hidden py-3 text-right text-muted sm:table-cell">
              {row.validTasks.toLocaleString('en')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Rank({ rank }: { readonly rank: number | null }) {
  const isFirst = rank === 1;
  return (
    <span
      className={`inline-grid h-7 min-w-7 place-items-center rounded-full px-1.5 text-sm ${
        isFirst ? 'bg-grain font-bold text-on-grain' : 'bg-sunken text-muted'
      }`}
    >
      {rank?.toLocaleString('en') ?? '–'}
    </span>
  );
}
