import { useQuery } from '@tanstack/react-query';
import { inboxQuery, statusQuery } from '../api/people-queries';
import { myAccountQuery } from '../api/queries';
import { useSession } from '../api/session';
import { PageTitle, Panel } from '../ui/parts';
import { Waiting } from '../ui/waiting';
import { AuditLog } from './operator/audit-log';
import { Decide } from './operator/decide';
import { DispatchSwitch } from './operator/dispatch-switch';
import { Inbox } from './operator/inbox';
import { ServerStatusPanel } from './operator/server-status';
import { SignInForms } from './sign-in-page';

/** What waits for a decision, how the server is, and who decided what. */
export function OperatorPage() {
  const accountId = useSession();
  const { data: account, error, refetch } = useQuery(myAccountQuery(accountId));
  const isOperator = account?.operator === true;
  const { data: inbox } = useQuery({ ...inboxQuery(accountId), enabled: isOperator });
  const { data: status } = useQuery(statusQuery);
  if (accountId === null) return <SignInForms mode="token" search={{ next: '/operator' }} />;
  if (!account) return <Waiting what="your account" error={error} onRetry={refetch} />;
  if (!isOperator) {
    return (
      <>
        <PageTitle>Operator</PageTitle>
        <Panel className="max-w-xl">
          <p className="[overflow-wrap:anywhere]">
            Only operators of this coordinator decide here. You are signed in as <bdi>{account.name}</bdi>.
          </p>
        </Panel>
      </>
    );
  }
  return (
    <>
      <PageTitle lead={status ? `${status.name}, as it is now` : undefined}>Operator</PageTitle>
      {status && <DispatchSwitch paused={status.dispatchPaused} accountId={accountId} />}
      {inbox && <Inbox inbox={inbox} accountId={accountId} />}
      <Decide accountId={accountId} />
      {status && <ServerStatusPanel status={status} />}
      <AuditLog accountId={accountId} />
    </>
  );
}
