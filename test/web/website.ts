import type { Browser, Page } from 'playwright-core';
import {
  createTestApplication,
  type TestApplication,
  type TestApplicationOptions,
} from '../support/index.js';
import { buildWebsite, complaintsOf, openBrowser } from './browser.js';

/** A coordinator that serves the website as its sources are, and a browser with a page. */
export class Website implements AsyncDisposable {
  /** What the page's scripts complain about. */
  readonly complaints: string[];

  private constructor(
    readonly gleaner: TestApplication,
    readonly browser: Browser,
    readonly page: Page,
    private readonly opened: AsyncDisposableStack,
  ) {
    this.complaints = complaintsOf(page);
  }

  static async open(chromiumPath: string | null, options: TestApplicationOptions = {}): Promise<Website> {
    buildWebsite();
    await using opened = new AsyncDisposableStack();
    const gleaner = await createTestApplication(options);
    opened.defer(() => gleaner.close());
    const browser = await openBrowser(chromiumPath ?? '');
    opened.defer(() => browser.close());
    return new Website(gleaner, browser, await browser.newPage(), opened.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.opened.disposeAsync();
  }
}
