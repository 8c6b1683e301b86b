import { addScientist, holdHost } from '@gleaner/client';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Field, fieldError, Form, FormError, textOf } from '../../ui/field';
import { Button, Panel } from '../../ui/parts';
import { useDecided } from './use-decided';

const ID_PATTERN = '[1-9][0-9]{0,17}';

/** Decisions that nobody waits for: who else may submit in a project, and which machine is to be looked at. */
export function Decide({ accountId }: { readonly accountId: string }) {
  return (
    <div className="mb-10 grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
      <Decision
        title="Add a scientist to a project"
        button="Add the scientist"
        accountId={accountId}
        decide={(form) =>
          addScientist({
            path: { slug: textOf(form, 'project').trim() },
            body: { accountId: textOf(form, 'accountId').trim() },
            throwOnError: true,
          })
        }
      >
        {(error) => (
          <>
            <Field label="Project" name="project" placeholder="tides" autoComplete="off" required />
            <Field
              label="Id of their account"
              name="accountId"
              inputMode="numeric"
              pattern={ID_PATTERN}
              autoComplete="off"
              required
              error={fieldError(error, 'accountId')}
            />
          </>
        )}
      </Decision>
      <Decision
        title="Hold a machine for review"
        button="Hold the machine"
        accountId={accountId}
        decide={(form) =>
          holdHost({
            path: { id: textOf(form, 'hostId').trim() },
            body: { reason: textOf(form, 'why').trim() },
            throwOnError: true,
          })
        }
      >
        {(error) => (
          <>
            <Field
              label="Id of the machine"
              name="hostId"
              inputMode="numeric"
              pattern={ID_PATTERN}
              autoComplete="off"
              required
            />
            <Field
              label="Why"
              name="why"
              hint="Its owner reads it."
              maxLength={500}
              dir="auto"
              required
              error={fieldError(error, 'reason')}
            />
          </>
        )}
      </Decision>
    </div>
  );
}

function Decision({
  title,
  button,
  accountId,
  decide,
  children,
}: {
  readonly title: string;
  readonly button: string;
  readonly accountId: string;
  readonly decide: (form: FormData) => Promise<unknown>;
  readonly children: (error: Error | null) => ReactNode;
}) {
  const decision = useMutation({ mutationFn: decide, onSuccess: useDecided(accountId) });
  return (
    <details>
      <summary className="cursor-pointer py-2 font-semibold text-muted hover:text-ink">{title}</summary>
      <Panel className="mt-2">
        <Form className="space-y-4" onSubmit={decision.mutate}>
          {children(decision.error)}
          <FormError error={decision.error} />
          <div className="flex items-center gap-4">
            <Button type="submit" look="quiet" disabled={decision.isPending}>
              {button}
            </Button>
            <span role="status" className="text-sm font-semibold text-good">
              {decision.isSuccess && 'Done.'}
            </span>
          </div>
        </Form>
      </Panel>
    </details>
  );
}
