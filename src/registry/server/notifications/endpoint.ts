import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { messageOf } from '#kernel';
import { envelopeType } from './envelope.ts';

/** Where notifications go. */
export interface EndpointSettings {
  /** What waits is kept under this name. */
  readonly name: string;
  readonly url: string;
  readonly actions: readonly ('push' | 'pull' | 'delete')[];
  /** Names, or patterns as in access rules. */
  readonly repositories: readonly string[];
  readonly timeoutMs: number;
  /** What could not be delivered for so long is dropped. */
  readonly giveUpAfterMs: number;
  /** Key of the signature. */
  readonly secret?: string | undefined;
  /** The whole of an Authorization header. */
  readonly authorization?: string | undefined;
  /** PEM text of who signed the receiver's certificate. */
  readonly ca?: string | undefined;
}

/** A receiver, and the connections to it. */
export class Endpoint implements AsyncDisposable {
  readonly settings: EndpointSettings;
  readonly #agent: Agent;

  constructor(settings: EndpointSettings) {
    this.settings = settings;
    this.#agent = new Agent({
      connections: 1,
      connect: { timeout: settings.timeoutMs, ...(settings.ca !== undefined && { ca: settings.ca }) },
    });
  }

  /** Resolves to undefined when the receiver took it, or to what went wrong. */
  async post(body: string, signal: AbortSignal): Promise<string | undefined> {
    const { url, timeoutMs, secret, authorization } = this.settings;
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: {
          'Content-Type': envelopeType,
          'User-Agent': 'Wharf-Registry',
          ...(authorization !== undefined && { Authorization: authorization }),
          ...(secret !== undefined && { 'X-Hub-Signature-256': `sha256=${signatureOf(secret, body)}` }),
        },
        body,
      });
      await answer.body.dump();
      return answer.statusCode < 400 ? undefined : `status ${answer.statusCode}`;
    } catch (error) {
      return messageOf(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

/** HMAC-SHA256 of a body, in hexadecimal. */
export const signatureOf = (secret: string, body: string): string =>
  createHmac('sha256', secret).update(body).digest('hex');
