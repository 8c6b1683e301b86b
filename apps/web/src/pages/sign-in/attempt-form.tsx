import { useMutation, type UseMutationResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { rememberSession } from '../../api/session';
import { Form, FormError } from '../../ui/field';
import { Button } from '../../ui/parts';

type Attempt = UseMutationResult<unknown, Error, FormData>;

/** Sends what a form holds, and remembers whose session the answer began. */
export function useSigningIn(send: (form: FormData) => Promise<{ readonly data: { readonly id: string } }>) {
  return useMutation({
    mutationFn: async (form: FormData) => (await send(form)).data,
    onSuccess: ({ id }) => rememberSession(id),
  });
}

/** Fields with what went wrong, one button, and below a line the ways to other forms. */
export function AttemptForm({
  attempt,
  action,
  others,
  children,
}: {
  readonly attempt: Pick<Attempt, 'mutate' | 'error' | 'isPending'>;
  /** What the button says. */
  readonly action: string;
  readonly others?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <Form className="space-y-4" onSubmit={attempt.mutate}>
      {children}
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        {action}
      </Button>
      {others !== undefined && <div className="border-t border-line pt-4 text-sm">{others}</div>}
    </Form>
  );
}

/** What takes the place of a form that has been sent, and where to go from there. */
export function AttemptDone({ children, next }: { readonly children: ReactNode; readonly next: ReactNode }) {
  return (
    <>
      <p role="status" className="font-semibold">
        {children}
      </p>
      <p className="mt-4">{next}</p>
    </>
  );
}
