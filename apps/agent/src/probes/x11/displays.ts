import { readdirSync, readFileSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findCookie, type XCookie } from './xauthority.js';

const SOCKETS = '/tmp/.X11-unix';
const FIRST_PORT = 6000;
const MAX_DISPLAYS = 16;

export interface XDisplay {
  readonly number: number;
  readonly address: NetConnectOpts;
}

/** Reads `DISPLAY`: `:0`, `unix:0.0` or `host:10`. Undefined when it names none. */
export function parseDisplay(text: string): XDisplay | undefined {
  const match = /^([\w.-]*):(\d{1,4})(?:\.\d+)?$/.exec(text);
  if (!match) return undefined;
  const host = match[1] ?? '';
  const number = Number(match[2]);
  return host === '' || host === 'unix'
    ? localDisplay(number)
    : { number, address: { host, port: FIRST_PORT + number } };
}

/** What `DISPLAY` names; for a service without it, every display of this machine. */
export function listDisplays(environment: Readonly<Record<string, string | undefined>>): XDisplay[] {
  const named = environment['DISPLAY'];
  if (named) return [parseDisplay(named)].filter((display) => display !== undefined);
  return socketNames()
    .map((name) => /^X(\d{1,4})$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .slice(0, MAX_DISPLAYS)
    .map((number) => localDisplay(Number(number)));
}

/** The user's cookie for a display; undefined where the server may let us in without. */
export function readCookie(
  environment: Readonly<Record<string, string | undefined>>,
  displayNumber: number,
): XCookie | undefined {
  try {
    const path = environment['XAUTHORITY'] ?? join(homedir(), '.Xauthority');
    return findCookie(readFileSync(path), displayNumber);
  } catch {
    return undefined;
  }
}

function localDisplay(number: number): XDisplay {
  return { number, address: { path: `${SOCKETS}/X${number}` } };
}

function socketNames(): string[] {
  try {
    return readdirSync(SOCKETS);
  } catch {
    return [];
  }
}
