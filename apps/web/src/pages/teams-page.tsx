import { foundTeam } from '@gleaner/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { myTeamQuery } from '../api/people-queries';
import { boardQuery } from '../api/queries';
import { useSession } from '../api/session';
import { Cycles } from '../ui/cycles';
import { Field, fieldError, Form, FormError, INPUT, textOf } from '../ui/field';
import { isolate } from '../ui/isolate';
import { Button, Empty, PageTitle, Panel } from '../ui/parts';

const SHOWN = 50;

/** Find a team to join, or found one. */
export function TeamsPage() {
  const [q, setQ] = useState('');
  const { data } = useQuery(
    boardQuery({ board: 'teams', period: 'all', page: 1, limit: SHOWN, ...(q !== '' && { q }) }),
  );
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
      {data && data.items.length === 0 && (
        <Empty>
          {q === ''
            ? 'No team has earned anything yet. Found the first one.'
            : `No team that has earned something is called anything like “${isolate(q)}”.`}
        </Empty>
      )}
      {data && data.items.length > 0 && (
        <ol
          className="divide-y divide-line rounded-2xl border border-line bg-panel"
          aria-label="Teams by credit"
        >
          {data.items.map((team) => (
            <li key={team.id} className="flex items-baseline justify-between gap-6 p-4">
              <Link
                to="/teams/$teamId"
                params={{ teamId: team.id }}
                className="min-w-0 truncate font-semibold text-accent underline underline-offset-4"
              >
                <bdi>{team.name}</bdi>
              </Link>
              <Cycles value={team.credit} />
            </li>
          ))}
        </ol>
      )}
      <Found />
    </>
  );
}

function MyTeamLine() {
  const { data: team } = useQuery(myTeamQuery(useSession()));
  if (!team) return null;
  return (
    <p className="mb-5">
      You are in{' '}
      <Link
        to="/teams/$teamId"
        params={{ teamId: team.id }}
        className="text-accent underline underline-offset-4"
      >
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
            <Link
              to="/sign-in"
              search={{ next: '/teams' }}
              className="text-accent underline underline-offset-4"
            >
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
