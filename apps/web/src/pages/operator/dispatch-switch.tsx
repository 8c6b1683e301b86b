import { pauseDispatch, resumeDispatch, type DispatchPause } from '@gleaner/client';
import { useMutation } from '@tanstack/react-query';
import { Field, fieldError, Form, FormError, textOf } from '../../ui/field';
import { Button, Panel } from '../../ui/parts';
import { TimeAgo } from '../../ui/time-ago';
import { useDecided } from './use-decided';

/** The main switch: nobody gets new work while it is off, and everybody is told why. */
export function DispatchSwitch({
  paused,
  accountId,
}: {
  readonly paused: DispatchPause | null;
  readonly accountId: string;
}) {
  const after = { onSettled: useDecided(accountId) };
  const pause = useMutation({
    mutationFn: (form: FormData) =>
      pauseDispatch({ body: { reason: textOf(form, 'reason').trim() }, throwOnError: true }),
    ...after,
  });
  const resume = useMutation({ mutationFn: () => resumeDispatch({ throwOnError: true }), ...after });
  if (paused) {
    return (
      <Panel className="mb-8 border-bad!">
        <h2 className="text-xl">All work is paused</h2>
        <p className="mt-2 [overflow-wrap:anywhere]">
          <bdi>{paused.reason}</bdi>, since <TimeAgo at={paused.since} />. Results are taken as ever.
        </p>
        <Button className="mt-4" disabled={resume.isPending} onClick={() => resume.mutate()}>
          Give out work again
        </Button>
        <FormError error={resume.error} />
      </Panel>
    );
  }
  return (
    <details className="mb-8">
      <summary className="cursor-pointer py-2 font-semibold text-muted hover:text-ink">
        Pause all work
      </summary>
      <Panel className="mt-2 max-w-xl">
        <Form className="space-y-4" onSubmit={pause.mutate}>
          <Field
            label="Reason"
            name="reason"
            hint="Every volunteer whose machine asks for work reads it."
            maxLength={500}
            dir="auto"
            required
            error={fieldError(pause.error, 'reason')}
          />
          <FormError error={pause.error} />
          <Button type="submit" disabled={pause.isPending}>
            Pause everything
          </Button>
        </Form>
      </Panel>
    </details>
  );
}
