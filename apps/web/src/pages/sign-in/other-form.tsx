import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { SignInMode, SignInSearch } from '../sign-in-search';

export interface FormProps {
  /** What else the address says, kept from form to form. */
  readonly search: Omit<SignInSearch, 'mode'>;
}

/** The way from one form to another. */
export function OtherForm({
  mode,
  search,
  children,
}: FormProps & { readonly mode: SignInMode; readonly children: ReactNode }) {
  return (
    <Link to="/sign-in" search={{ ...search, ...(mode !== 'sign-in' && { mode }) }} className="link">
      {children}
    </Link>
  );
}
