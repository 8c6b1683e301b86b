import { useId, type InputHTMLAttributes, type ReactNode } from 'react';
import { ProblemError } from '../api/problem-error';

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'id'> {
  readonly label: string;
  readonly hint?: ReactNode;
  /** Why the coordinator refused what was entered. */
  readonly error?: string | undefined;
}

export const INPUT =
  'mt-2 min-h-11 w-full min-w-0 rounded-lg border border-muted bg-ground px-3 placeholder:text-muted';

/** A labelled input with what helps to fill it in, and what was wrong with it. */
export function Field({ label, hint, error, className = '', ...input }: FieldProps) {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`].filter(
    Boolean,
  );
  return (
    <div className={className}>
      <label htmlFor={id} className="font-semibold">
        {label}
      </label>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-0.5 text-sm text-muted">
          {hint}
        </p>
      )}
      <input
        {...input}
        id={id}
        aria-invalid={error !== undefined}
        {...(described.length > 0 && { 'aria-describedby': described.join(' ') })}
        className={INPUT}
      />
      {error !== undefined && (
        <p id={`${id}-error`} className="mt-1 text-sm text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

/** What the coordinator found wrong with the field of this name. */
export function fieldError(error: Error | null, name: string): string | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  return error.problem.errors?.find(({ pointer }) => pointer === `/${name}`)?.detail;
}

/** A failure that belongs to the form as a whole. */
export function FormError({ error }: { readonly error: Error | null }) {
  if (!error) return null;
  return (
    <p role="alert" className="mt-4 text-sm text-bad [overflow-wrap:anywhere]">
      {error.message}
    </p>
  );
}

/** The text that was entered for `name`. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}

/** A form that keeps what was entered when it is refused. */
export function Form({
  onSubmit,
  children,
  label,
  className = '',
}: {
  /** What it is for, where a page has several with the same fields. */
  readonly label?: string;
  readonly onSubmit: (form: FormData) => void;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  return (
    <form
      {...(label !== undefined && { 'aria-label': label })}
      className={className}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(new FormData(event.currentTarget));
      }}
    >
      {children}
    </form>
  );
}
