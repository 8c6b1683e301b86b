import { foundTeam } from '@gleaner/client';
import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type UseInfiniteQueryResult,
} from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { myTeamQuery, teamsQuery } from '../api/people-queries';
import { boardQuery } from '../api/queries';
import { useSession } from '../api/session';
import { Cycles } from '../ui/cycles';
import { Field, fieldError, Form, FormError, INPUT, textOf } from '../ui/field';
import { isolate } from '../ui/isolate';
import { Button, Empty, MoreButton, PageTitle, Panel } from '../ui/parts';
import { NotLoaded } from '../ui/waiting';

const BEST = 10;

/** Find a team to join, or found one. */
export function TeamsPage() {
  const [q, setQ] = useState('');
  return (
    <>
      <PageTitle lead="What members earn while they are in a team counts for the team as well, and stays with it.">
        Teams
      </PageTitle>
      <MyTeamLine />
      <Form className="mb-5 flex max-w-xl gap-2" onSubmit={(form) => setQ(textOf(form, 'q').trim())}>
        <input
          type="search"
          name="q"
          aria-label="Name of a team"
          placeholder="Find a team"
          maxLength={80}
          className={`${INPUT} mt-0!`}
        />
        <Button type="submit" look="quiet">
          Find
        </Button>
      </Form>
      {q === '' ? <BestAndNewest /> : <TeamsCalled key={q} q={q} />}
      <Found />
    </>
  );
}

/** Those who gave most, and the newest of all others: teams that have earned nothing yet are looked for by those who are to join. */
function BestAndNewest() {
  const board = useQuery(boardQuery({ board: 'teams', period: 'all', page: 1, limit: BEST }));
  const newest = useInfiniteQuery(teamsQuery(''));
  const best = board.data;
  if (!best || !newest.data) {
    const error = board.error ?? newest.error;
    const retry = (): unknown => [board, newest].filter(({ data }) => !data).map(({ refetch }) => refetch());
    return error && <NotLoaded what="the teams" error={error} onRetry={retry} />;
  }
  const known = new Set(best.items.map(({ id }) => id));
  const teams = newest.data.pages.flatMap(({ items }) => items).filter(({ id }) => !known.has(id));
  if (known.size + teams.length === 0) return <Empty>There is no team yet. Found the first one.</Empty>;
  return (
    <>
      {known.size > 0 && (
        <section className="mb-8">
          <div className="mb-4 flex items-baseline justify-between gap-4">
            <h2 className="text-2xl">Those who gave most</h2>
            <Link to="/leaderboards" search={{ board: 'teams' }} className="link">
              All ranks
            </Link>
          </div>
          <TeamList name="Teams by credit" teams={best.items} />
        </section>
      )}
      {teams.length > 0 && (
        <section>
          <h2 className="mb-4 text-2xl">Newest</h2>
          <TeamList name="Newest teams" teams={teams} />
        </section>
      )}
      <MoreTeams of={newest} />
    </>
  );
}

function TeamsCalled({ q }: { readonly q: string }) {
  const found = useInfiniteQuery(teamsQuery(q));
  if (!found.data) {
    return found.error && <NotLoaded what="the teams" error={found.error} onRetry={found.refetch} />;
  }
  const teams = found.data.pages.flatMap(({ items }) => items);
  const isCutShort = found.data.pages.some((page) => page.isCutShort);
  return (
    <section>
      <h2 className="mb-4 text-2xl">Found</h2>
      {teams.length === 0 ? (
        <Empty>
          {isCutShort
            ? 'The search took too long and was ended before any team was found. Try another part of the name.'
            : `No team was found whose name begins with “${isolate(q)}” or has it elsewhere.`}
        </Empty>
      ) : (
        <TeamList name="Teams found" teams={teams} />
      )}
      {isCutShort && teams.length > 0 && (
        <p role="status" className="mt-4 text-muted">
          The search took too long and was ended: more teams may have “<bdi>{q}</bdi>” in their names.
        </p>
      )}
      <MoreTeams of={found} />
    </section>
  );
}

function MoreTeams({
  of,
}: {
  readonly of: Pick<UseInfiniteQueryResult, 'hasNextPage' | 'fetchNextPage' | 'isFetchingNextPage'>;
}) {
  if (!of.hasNextPage) return null;
  return (
    <MoreButton isLoading={of.isFetchingNextPage} onMore={() => void of.fetchNextPage()}>
      Show more
    </MoreButton>
  );
}

function TeamList({
  name,
  teams,
}: {
  readonly name: string;
  readonly teams: ReadonlyArray<{ readonly id: string; readonly name: string; readonly credit: string }>;
}) {
  return (
    <ol className="divide-y divide-line rounded-2xl border border-line bg-panel" aria-label={name}>
      {teams.map((team) => (
        <li key={team.id} className="flex items-baseline justify-between gap-6 p-4">
          <Link
            to="/teams/$teamId"
            params={{ teamId: team.id }}
            className="min-w-0 font-semibold [overflow-wrap:anywhere] link"
          >
            <bdi>{team.name}</bdi>
          </Link>
          <Cycles value={team.credit} />
        </li>
      ))}
    </ol>
  );
}

function MyTeamLine() {
  const { data: team } = useQuery(myTeamQuery(useSession()));
  if (!team) return null;
  return (
    <p className="mb-5 [overflow-wrap:anywhere]">
      You are in{' '}
      <Link to="/teams/$teamId" params={{ teamId: team.id }} className="link">
        <bdi>{team.name}</bdi>
      </Link>
      .
    </p>
  );
}

function Found() {
  const accountId = useSession();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const founding = useMutation({
    mutationFn: async (form: FormData) =>
      (
        await foundTeam({
          body: { name: textOf(form, 'name').trim(), description: textOf(form, 'description').trim() },
          throwOnError: true,
        })
      ).data,
    onSuccess: async ({ id }) => {
      await queryClient.invalidateQueries(myTeamQuery(accountId));
      await navigate({ to: '/teams/$teamId', params: { teamId: id } });
    },
  });
  return (
    <section className="mt-10 max-w-xl">
      <h2 className="mb-4 text-3xl">Found a team</h2>
      <Panel>
        {accountId === null ? (
          <p>
            <Link to="/sign-in" search={{ next: '/teams' }} className="link">
              Sign in
            </Link>{' '}
            to found or join a team.
          </p>
        ) : (
          <Form className="space-y-4" onSubmit={founding.mutate}>
            <Field
              label="Name of the team"
              name="name"
              maxLength={80}
              dir="auto"
              required
              error={fieldError(founding.error, 'name')}
            />
            <Field
              label="What brings you together"
              name="description"
              maxLength={2000}
              dir="auto"
              error={fieldError(founding.error, 'description')}
            />
            <FormError error={founding.error} />
            <Button type="submit" disabled={founding.isPending}>
              Found the team
            </Button>
          </Form>
        )}
      </Panel>
    </section>
  );
}
