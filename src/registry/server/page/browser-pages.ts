import type { Answer, Call } from '../answer.ts';

/** What browsers are shown. */
export class BrowserPages {
  readonly #parts: object;

  constructor(parts: object) {
    this.#parts = parts;
  }

  forgetSessions(): void {
    Object.keys(this.#parts);
  }

  async answer(call: Call, path: string): Promise<Answer | undefined> {
    await Promise.resolve();
    return path === '/' && call.method === 'GET' ? { status: 204 } : undefined;
  }
}
