import { deleteMyAccount } from '@gleaner/client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { forgetSession, sessionAccount } from '../../api/session';
import { Field, fieldError, Form, FormError, textOf } from '../../ui/field';
import { Button, Panel } from '../../ui/parts';
import { forgetHost, readSavedHost, worksFor } from '../../volunteer/saved-host';

/** For good: what goes and what stays is said before. */
export function DeleteAccount({ name }: { readonly name: string }) {
  const [isAsking, setAsking] = useState(false);
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const deletion = useMutation({
    mutationFn: (form: FormData) =>
      deleteMyAccount({ body: { name: textOf(form, 'name') }, throwOnError: true }),
    onSuccess: async () => {
      const host = readSavedHost();
      const accountId = sessionAccount();
      if (host && accountId !== null && worksFor(host, accountId)) forgetHost();
      forgetSession();
      queryClient.removeQueries({ queryKey: ['me'] });
      await navigate({ to: '/' });
    },
  });
  return (
    <Panel className="mt-10 border-bad/50">
      <h2 className="text-xl">Delete my account and data</h2>
      <p className="mt-2 text-muted">
        Your name, e-mail address, machines, tokens and team are removed at once, and running tasks go to
        others. The ledger keeps what was computed, under “deleted volunteer”, so that every total stays true.
        Projects and ended jobs of yours stay as well, called as you called them. It cannot be undone.
      </p>
      {isAsking ? (
        <Form className="mt-4 max-w-md space-y-4" onSubmit={deletion.mutate}>
          <Field
            label="Your name, to be sure"
            name="name"
            hint={
              <>
                Type <bdi className="font-semibold text-ink">{name}</bdi>
              </>
            }
            autoComplete="off"
            dir="auto"
            required
            error={fieldError(deletion.error, 'name')}
          />
          <FormError error={deletion.error} />
          <div className="flex flex-wrap gap-3">
            <Button type="submit" disabled={deletion.isPending}>
              Delete for good
            </Button>
            <Button look="quiet" onClick={() => setAsking(false)}>
              Keep my account
            </Button>
          </div>
        </Form>
      ) : (
        <Button look="quiet" className="mt-4" onClick={() => setAsking(true)}>
          Delete my account
        </Button>
      )}
    </Panel>
  );
}
