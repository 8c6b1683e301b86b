import type { Host } from '@gleaner/client';
import { Field, fieldError, Form, FormError, textOf } from '../../ui/field';
import { Button, Panel } from '../../ui/parts';
import { useMachineChange } from './use-machine-change';

export function MachineName({
  host,
  etag,
  accountId,
}: {
  readonly host: Host;
  readonly etag: string;
  readonly accountId: string;
}) {
  const change = useMachineChange(accountId, host.id, etag);
  return (
    <Panel>
      <h2 className="text-xl">Name</h2>
      <Form className="mt-3" onSubmit={(form) => change.mutate({ name: textOf(form, 'name').trim() })}>
        <Field
          key={host.name}
          label="Name of the machine"
          name="name"
          hint="The leaderboard of machines shows it."
          defaultValue={host.name}
          maxLength={80}
          dir="auto"
          required
          error={fieldError(change.error, 'name')}
        />
        <FormError error={change.error} />
        <div className="mt-4 flex items-center gap-4">
          <Button type="submit" look="quiet" disabled={change.isPending}>
            Save the name
          </Button>
          <span role="status" className="text-sm font-semibold text-good">
            {change.isSuccess && 'Saved.'}
          </span>
        </div>
      </Form>
    </Panel>
  );
}
