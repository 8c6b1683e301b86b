/** Progress without a picture after which an app is taken for one that shows none. */
const PATIENCE = 5;

/** Which of the running tasks is shown: one from its first picture to its end, or several cores' lines would mix. */
export class PictureOfTask {
  #shown: string | null = null;
  #progressWithout = 0;

  /** @returns whether this picture belongs to what is shown */
  frame(taskId: string): boolean {
    this.#shown ??= taskId;
    this.#progressWithout = 0;
    return this.#shown === taskId;
  }

  progress(): void {
    if (this.#shown === null) this.#progressWithout += 1;
  }

  finished(taskId: string): void {
    if (this.#shown === taskId) this.#shown = null;
  }

  /** Whether what is computed shows no picture, as far as one can tell. */
  get isBlank(): boolean {
    return this.#progressWithout >= PATIENCE;
  }
}
