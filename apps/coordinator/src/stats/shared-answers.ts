import { BoundedCache } from '../http/index.js';

/** One query for a crowd: everybody who asks for the same key within `ttlMs` gets the same answer. Failures are not kept. */
export class SharedAnswers<T> {
  private readonly answers: BoundedCache<string, Promise<T>>;

  constructor(maxKeys: number, ttlMs: number) {
    this.answers = new BoundedCache(maxKeys, ttlMs);
  }

  async get(key: string, load: () => Promise<T>): Promise<T> {
    const known = this.answers.get(key);
    if (known) return await known;
    const answer = load();
    this.answers.set(key, answer);
    try {
      return await answer;
    } catch (error) {
      this.answers.delete(key);
      throw error;
    }
  }
}
