import { isNotThere } from '../api/problem-error';
import { NotFoundPage } from '../pages/not-found-page';
import { FormError } from './field';
import { Button } from './parts';

/** In the place of what has not come: that it is loading, that there is nothing, or why it could not be loaded. */
export function Waiting({
  what,
  error,
  onRetry,
  isPerhapsMine = false,
}: {
  /** Such as `the job`. */
  readonly what: string;
  readonly error: Error | null;
  readonly onRetry: () => unknown;
  /** Whether there may be something for those who have signed in. */
  readonly isPerhapsMine?: boolean;
}) {
  if (isNotThere(error)) return <NotFoundPage isPerhapsMine={isPerhapsMine} />;
  if (!error) return <p className="text-muted">Loading {what} …</p>;
  return <NotLoaded what={what} error={error} onRetry={onRetry} />;
}

/** Why something could not be loaded, and the way to try it again. */
export function NotLoaded({
  what,
  error,
  onRetry,
}: {
  readonly what: string;
  readonly error: Error | null;
  readonly onRetry: () => unknown;
}) {
  return (
    <div>
      <p className="font-semibold">Gleaner could not load {what}.</p>
      <FormError error={error} />
      <Button look="quiet" className="mt-4" onClick={() => void onRetry()}>
        Try again
      </Button>
    </div>
  );
}
