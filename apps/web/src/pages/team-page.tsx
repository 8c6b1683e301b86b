import { joinTeam, leaveTeam, updateTeam, type Team, type UpdateTeamInput } from '@gleaner/client';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { myTeamQuery, teamMembersQuery, teamQuery } from '../api/people-queries';
import { myAccountQuery } from '../api/queries';
import { isNotThere } from '../api/problem-error';
import { useSession } from '../api/session';
import { Cycles } from '../ui/cycles';
import { Field, fieldError, Form, FormError, textOf } from '../ui/field';
import { CORE_ASSUMED, formatCoreHours } from '../ui/format-cycles';
import { Button, MoreButton, PageTitle, Panel } from '../ui/parts';
import { TimeAgo } from '../ui/time-ago';
import { Waiting } from '../ui/waiting';

export function TeamPage() {
  const { teamId } = useParams({ from: '/teams/$teamId' });
  const accountId = useSession();
  const { data, error, refetch } = useQuery(teamQuery(teamId));
  const { data: me } = useQuery(myAccountQuery(accountId));
  if (!data || isNotThere(error)) return <Waiting what="the team" error={error} onRetry={refetch} />;
  const { team, etag } = data;
  const isKeeper = me !== undefined && (me.id === team.keeper.id || me.operator);
  return (
    <>
      <p className="mb-4">
        <Link to="/teams" className="link">
          Teams
        </Link>
      </p>
      <PageTitle
        lead={
          team.description === '' ? undefined : (
            <bdi className="[overflow-wrap:anywhere] whitespace-pre-line">{team.description}</bdi>
          )
        }
      >
        {team.name}
      </PageTitle>
      <dl className="figure mb-8 grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Figure name="cycles together">
          <Cycles value={team.credit} unit="" />
        </Figure>
        <Figure name={`core-hours, about, at ${CORE_ASSUMED}`}>{formatCoreHours(team.credit)}</Figure>
        <Figure name="agreed results">{team.validTasks.toLocaleString('en')}</Figure>
        <Figure name={team.members === 1 ? 'member' : 'members'}>{team.members.toLocaleString('en')}</Figure>
      </dl>
      <Membership team={team} accountId={accountId} />
      <Members team={team} />
      {isKeeper && <Keep team={team} etag={etag} />}
    </>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex flex-col-reverse justify-end rounded-2xl border border-line bg-panel p-4">
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="text-2xl font-semibold">{children}</dd>
    </div>
  );
}

function Membership({ team, accountId }: { readonly team: Team; readonly accountId: string | null }) {
  const { data: mine, isSuccess } = useQuery(myTeamQuery(accountId));
  const queryClient = useQueryClient();
  const isMember = mine?.id === team.id;
  const change = useMutation({
    mutationFn: async () => {
      const of = { path: { id: team.id }, throwOnError: true } as const;
      if (isMember) await leaveTeam(of);
      else await joinTeam(of);
    },
    onSettled: async () => {
      await queryClient.invalidateQueries({ queryKey: ['team'] });
      await queryClient.invalidateQueries(myTeamQuery(accountId));
    },
  });
  if (accountId === null) {
    return (
      <p className="mb-8">
        <Link to="/sign-in" search={{ next: `/teams/${team.id}` }} className="link">
          Sign in
        </Link>{' '}
        to join this team.
      </p>
    );
  }
  if (!isSuccess) return null;
  return (
    <div className="mb-8">
      <div className="flex flex-wrap items-center gap-4">
        <Button
          look={isMember ? 'quiet' : 'primary'}
          disabled={change.isPending}
          onClick={() => change.mutate()}
        >
          {isMember ? 'Leave the team' : 'Join the team'}
        </Button>
        <span className="text-sm text-muted">
          {isMember
            ? 'What you earned for it stays with it.'
            : mine
              ? 'You leave your present team; what you earned for it stays there.'
              : 'What you earn from now on counts for it as well.'}
        </span>
      </div>
      <FormError error={change.error} />
    </div>
  );
}

function Members({ team }: { readonly team: Team }) {
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    teamMembersQuery(team.id),
  );
  const members = data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <section>
      <h2 className="mb-4 text-3xl">Members</h2>
      {data && members.length === 0 && (
        <p className="text-muted">Everybody has left. Whoever joins keeps it.</p>
      )}
      {members.length > 0 && (
        <ul className="divide-y divide-line rounded-2xl border border-line bg-panel">
          {members.map((member) => (
            <li key={member.id} className="flex items-baseline justify-between gap-6 p-4">
              <span className="min-w-0">
                <span className="block font-semibold [overflow-wrap:anywhere]">
                  <bdi>{member.name}</bdi>
                  {member.id === team.keeper.id && (
                    <span className="ml-1 text-sm font-normal text-accent"> keeper</span>
                  )}
                </span>
                <span className="text-sm text-muted">
                  joined <TimeAgo at={member.joinedAt} />
                </span>
              </span>
              <Cycles value={member.credit} />
            </li>
          ))}
        </ul>
      )}
      {hasNextPage && (
        <MoreButton isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()}>
          Show more
        </MoreButton>
      )}
    </section>
  );
}

function Keep({ team, etag }: { readonly team: Team; readonly etag: string }) {
  const queryClient = useQueryClient();
  const change = useMutation({
    mutationFn: (body: UpdateTeamInput) =>
      updateTeam({ path: { id: team.id }, headers: { 'if-match': etag }, body, throwOnError: true }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['team', team.id] }),
  });
  return (
    <section className="mt-10 max-w-xl">
      <h2 className="mb-4 text-3xl">Keep the team</h2>
      <Panel>
        <Form
          className="space-y-4"
          onSubmit={(form) =>
            change.mutate({
              name: textOf(form, 'name').trim(),
              description: textOf(form, 'description').trim(),
            })
          }
        >
          <Field
            key={`name ${etag}`}
            label="Name"
            name="name"
            defaultValue={team.name}
            maxLength={80}
            dir="auto"
            required
            error={fieldError(change.error, 'name')}
          />
          <Field
            key={`description ${etag}`}
            label="What brings you together"
            name="description"
            defaultValue={team.description}
            maxLength={2000}
            dir="auto"
            error={fieldError(change.error, 'description')}
          />
          <FormError error={change.error} />
          <div className="flex items-center gap-4">
            <Button type="submit" look="quiet" disabled={change.isPending}>
              Save
            </Button>
            <span role="status" className="text-sm font-semibold text-good">
              {change.isSuccess && 'Saved.'}
            </span>
          </div>
        </Form>
      </Panel>
    </section>
  );
}
