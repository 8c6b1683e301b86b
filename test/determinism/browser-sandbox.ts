import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import type { TestPage } from './browser-page.js';
import type { UnitJson } from './unit-json.js';

const CHROMIUM_PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a system Chromium is, null where there is none; where `CHROMIUM_PATH` is set it is that one or none. */
export function findChromium(): string | null {
  const chosen = process.env['CHROMIUM_PATH'] ?? '';
  return (chosen === '' ? CHROMIUM_PATHS : [chosen]).find((path) => existsSync(path)) ?? null;
}

export interface BrowserSandbox extends AsyncDisposable {
  /** Calls one of the page's functions. */
  readonly call: (name: keyof TestPage, unit: UnitJson) => Promise<unknown>;
}

/** A headless browser on a page of plain http with the sandbox's worker in it. */
export async function openBrowserSandbox(executablePath: string): Promise<BrowserSandbox> {
  const files: Record<string, [type: string, body: string]> = {
    '/': ['text/html', '<!doctype html><script type="module" src="/page.js"></script>'],
    '/page.js': ['text/javascript', await bundle(new URL('./browser-page.ts', import.meta.url))],
    '/worker.js': ['text/javascript', await bundle(import.meta.resolve('@gleaner/sandbox/browser/worker'))],
  };
  const server = createServer((request, response) => {
    const [type, body] = files[request.url ?? ''] ?? ['text/plain', ''];
    response.setHeader('content-type', type).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage();
  // A TCP server's address is an object.
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => 'page' in globalThis);
  return {
    call: (name, unit) =>
      page.evaluate(([fn, json]) => (globalThis as unknown as { page: TestPage }).page[fn](json), [
        name,
        unit,
      ] as const),
    async [Symbol.asyncDispose]() {
      await browser.close();
      server.close();
    },
  };
}

/** One script of an entry and all that it imports. */
async function bundle(entry: URL | string): Promise<string> {
  const input = fileURLToPath(entry);
  const output = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['gleaner-source', 'module', 'browser'] },
    build: { write: false, minify: false, target: 'es2024', rolldownOptions: { input } },
  });
  if (!('output' in output)) throw new Error(`the bundle of ${input} is no single output`);
  return output.output[0].code;
}
