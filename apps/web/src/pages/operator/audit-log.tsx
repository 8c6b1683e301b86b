import { useInfiniteQuery } from '@tanstack/react-query';
import { auditQuery } from '../../api/people-queries';
import { MoreButton } from '../../ui/parts';
import { TimeAgo } from '../../ui/time-ago';

/** Who decided what, newest first. */
export function AuditLog({ accountId }: { readonly accountId: string }) {
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(auditQuery(accountId));
  const entries = data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <section>
      <h2 className="mb-4 text-3xl">Audit log</h2>
      <ol
        className="divide-y divide-line rounded-2xl border border-line bg-panel text-sm"
        aria-label="Audit log"
      >
        {entries.map(({ id, at, account, action, subject, detail }) => (
          <li key={id} className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-4 py-3">
            <code className="font-semibold">{action}</code>
            <bdi className="min-w-0 [overflow-wrap:anywhere]">{subject}</bdi>
            {Object.keys(detail).length > 0 && (
              <code className="min-w-0 text-muted [overflow-wrap:anywhere]">{JSON.stringify(detail)}</code>
            )}
            <span className="ml-auto min-w-0 text-muted [overflow-wrap:anywhere]">
              {account === null ? 'the coordinator' : <bdi>{account.name}</bdi>}, <TimeAgo at={at} />
            </span>
          </li>
        ))}
      </ol>
      {hasNextPage && (
        <MoreButton isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()}>
          Show older entries
        </MoreButton>
      )}
    </section>
  );
}
