import { approveApp, approveProject, holdHost, type OperatorInbox } from '@gleaner/client';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { FormError } from '../../ui/field';
import { Button, Empty } from '../../ui/parts';
import { TimeAgo } from '../../ui/time-ago';
import { useDecided } from './use-decided';

/** Scientists, app versions and hosts that wait for a decision. */
export function Inbox({ inbox, accountId }: { readonly inbox: OperatorInbox; readonly accountId: string }) {
  const { projects, appVersions, heldHosts } = inbox;
  const isEmpty = projects.length + appVersions.length + heldHosts.length === 0;
  return (
    <section className="mb-10">
      <h2 className="mb-4 text-3xl">Waiting for a decision</h2>
      {isEmpty && <Empty>Nothing waits for you.</Empty>}
      <ul className="grid grid-cols-1 gap-4 lg:grid-cols-2">
        {projects.map((project) => (
          <Matter
            key={project.slug}
            kind="Project and its scientist"
            title={project.name}
            since={project.createdAt}
            accountId={accountId}
            decision="Approve"
            decide={() => approveProject({ path: { slug: project.slug }, throwOnError: true })}
          >
            <p>
              <bdi className="font-semibold">{project.creator.name}</bdi>
              {project.creator.email !== null && <> ({project.creator.email}, not verified)</>} wants to
              submit jobs in <code>{project.slug}</code>.
            </p>
            {project.description !== '' && (
              <bdi className="mt-2 line-clamp-4 block text-muted">{project.description}</bdi>
            )}
          </Matter>
        ))}
        {appVersions.map(({ app, version, project, publisher, report, createdAt }) => (
          <Matter
            key={`${app}@${version}`}
            kind="App version"
            title={`${app}@${version}`}
            since={createdAt}
            accountId={accountId}
            decision="Approve"
            decide={() => approveApp({ path: { name: app, version }, throwOnError: true })}
          >
            <p>
              By <bdi className="font-semibold">{publisher.name}</bdi> for <code>{project}</code>:{' '}
              {report.functions.toLocaleString('en')} functions,{' '}
              {Math.ceil(report.originalBytes / 1024).toLocaleString('en')} KiB. Approved, it runs on every
              volunteer’s machine and earns credit.
            </p>
            {report.warnings.map((warning) => (
              <p key={warning} className="mt-2 text-bad">
                {warning}
              </p>
            ))}
          </Matter>
        ))}
        {heldHosts.map((host) => (
          <Matter
            key={host.id}
            kind={`Machine ${host.id} of account ${host.accountId}`}
            title={host.name}
            since={host.lastSeenAt ?? host.createdAt}
            accountId={accountId}
            decision="Let it work again"
            decide={() => holdHost({ path: { id: host.id }, body: { reason: null }, throwOnError: true })}
          >
            <p className="[overflow-wrap:anywhere]">{host.held}</p>
            <p className="figure mt-2 text-muted">
              {host.validTasks} agreed, {host.invalidTasks} disagreed, {host.errorTasks} broken off
            </p>
          </Matter>
        ))}
      </ul>
    </section>
  );
}

function Matter({
  kind,
  title,
  since,
  accountId,
  decision,
  decide,
  children,
}: {
  readonly kind: string;
  readonly title: string;
  readonly since: string;
  readonly accountId: string;
  readonly decision: string;
  readonly decide: () => Promise<unknown>;
  readonly children: ReactNode;
}) {
  const deciding = useMutation({ mutationFn: decide, onSettled: useDecided(accountId) });
  return (
    <li className="flex flex-col rounded-2xl border border-line bg-panel p-5">
      <p className="text-sm text-muted">
        {kind} · <TimeAgo at={since} />
      </p>
      <h3 className="mt-1 text-lg font-semibold [overflow-wrap:anywhere]">
        <bdi>{title}</bdi>
      </h3>
      <div className="mt-2 mb-4 text-sm [overflow-wrap:anywhere]">{children}</div>
      <div className="mt-auto">
        <Button
          look="quiet"
          disabled={deciding.isPending}
          aria-label={`${decision}: ${title}`}
          onClick={() => deciding.mutate()}
        >
          {decision}
        </Button>
        <FormError error={deciding.error} />
      </div>
    </li>
  );
}
