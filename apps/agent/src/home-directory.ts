import os from 'node:os';
import { isAbsolute } from 'node:path';

interface TellsHome {
  homedir(): string;
  userInfo(): { readonly homedir: string };
}

/** The user's home; null for a user without one, such as the number that a container was told to run as. */
export function homeDirectory(system: TellsHome = os): string | null {
  // By the variable, then by the system's list of users. An empty variable is none: the agent's token is not for wherever one stands.
  for (const told of [() => system.homedir(), () => system.userInfo().homedir]) {
    try {
      const path = told();
      if (isAbsolute(path)) return path;
    } catch {
      // The system does not know this user.
    }
  }
  return null;
}
