import { STATUS_CODES } from 'node:http';
import type { ErrorKind } from '#kernel';
import { parseChallenges } from './challenge.ts';
import { requestName } from './network-failure.ts';
import { RegistryFailure } from './registry-failure.ts';
import { headerOf, readText, type Answer } from './transport.ts';

interface Complaint {
  readonly code: string;
  readonly message: string;
}

const defaults: Readonly<Record<number, Complaint>> = {
  401: { code: 'UNAUTHORIZED', message: 'authentication required' },
  403: { code: 'DENIED', message: 'requested access to the resource is denied' },
};

const kinds: Readonly<Record<number, ErrorKind>> = {
  401: 'unauthenticated',
  403: 'permissionDenied',
  404: 'notFound',
  429: 'unavailable',
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The `errors` of a JSON body (distribution-spec, error codes), or the one text of a token server's. */
function complaints(body: string): readonly Complaint[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return [];
  }
  if (!isRecord(parsed)) return [];
  if (Array.isArray(parsed.errors)) {
    return parsed.errors.filter(isRecord).map((each) => ({
      code: stringOf(each.code) || 'UNKNOWN',
      message: stringOf(each.message),
    }));
  }
  const message = stringOf(parsed.details) || stringOf(parsed.message) || stringOf(parsed.error_description);
  return message === '' ? [] : [{ code: '', message }];
}

const show = ({ code, message }: Complaint): string => {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return message === '' ? words : `${words}: ${message}`;
};

/** RFC 6750 section 3.1: the token is good, but not for this. Docker then says "denied". */
const lacksScope = (answer: Answer): boolean =>
  parseChallenges(answer.headers['www-authenticate']).some(
    ({ scheme, parameters }) => scheme === 'bearer' && parameters.error === 'insufficient_scope',
  );

function retryAfterOf(answer: Answer): number | undefined {
  const text = headerOf(answer, 'retry-after');
  if (text === undefined) return undefined;
  const millis = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(millis) ? undefined : Math.max(0, millis);
}

/** How many requests in how long a time a registry allows: `100;w=21600`, as Docker Hub says it. */
function rateLimitOf(answer: Answer): { readonly count: string; readonly window: number } | undefined {
  const match = /^(\d+);w=(\d+)$/.exec(headerOf(answer, 'ratelimit-limit') ?? '');
  return match?.[1] === undefined ? undefined : { count: match[1], window: Number(match[2]) };
}

function whenToComeBack(answer: Answer, retryAfter: number | undefined): string {
  const limit = rateLimitOf(answer);
  const reset = headerOf(answer, 'ratelimit-reset') ?? '';
  const seconds =
    retryAfter !== undefined ? Math.ceil(retryAfter / 1000) : /^\d+$/.test(reset) ? Number(reset) : undefined;
  const allowed = limit && `the limit is ${limit.count} requests in ${duration(limit.window)}`;
  const again = seconds !== undefined && `try again in ${duration(seconds)}`;
  const told = [allowed, again].filter((each) => typeof each === 'string');
  return told.length === 0 ? '' : ` (${told.join('; ')})`;
}

function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  return parts.flatMap(([count, unit]) => (count > 0 ? [`${count} ${unit}`] : [])).join(' ') || '0 s';
}

const looksLikeWebPage = (answer: Answer, body: string): boolean =>
  (headerOf(answer, 'content-type') ?? '').startsWith('text/html') || /^\s*<(?:!doctype|html)/i.test(body);

/** Reads the body of an answer that is no success and tells it in Docker's words. */
export async function answerFailure(answer: Answer): Promise<RegistryFailure> {
  const { status } = answer;
  const body = await readText(answer, 64 << 10).catch(() => '');
  const retryAfter = retryAfterOf(answer);
  if (status >= 500 || status < 400) {
    const text = `received unexpected HTTP status: ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
    return new RegistryFailure('internal', text, { status, isRetryable: status >= 500, retryAfter });
  }
  const kind = looksLikeWebPage(answer, body) ? 'internal' : (kinds[status] ?? 'internal');
  const told = complaintsOf(answer, body);
  const isRetryable = status === 429 || status === 408;
  const words = told.length > 0 ? told.map(show).join('\n') : plainText(answer, body);
  const message = status === 429 ? words + whenToComeBack(answer, retryAfter) : words;
  const code = told[0]?.code ?? codeFor(status);
  return new RegistryFailure(kind, message, { code, status, isRetryable, retryAfter });
}

/** What the registry says in so many words; the standard phrase where it says nothing. */
function complaintsOf(answer: Answer, body: string): readonly Complaint[] {
  const standard = defaults[answer.status];
  if (answer.status === 401 && defaults[403] && lacksScope(answer)) return [defaults[403]];
  if (body.trim() === '' && standard) return [standard];
  return complaints(body).map((each) =>
    each.code === '' ? { ...each, code: codeFor(answer.status) } : each,
  );
}

function plainText(answer: Answer, body: string): string {
  const { status } = answer;
  if (looksLikeWebPage(answer, body)) {
    const name = requestName(answer.method, answer.url);
    return `${name}: a web page came back (HTTP status ${status}): there seems to be no registry`;
  }
  const text = body.trim().slice(0, 500) || (STATUS_CODES[status] ?? String(status));
  return show({ code: codeFor(status), message: text });
}

const codeFor = (status: number): string =>
  defaults[status]?.code ?? (status === 429 ? 'TOOMANYREQUESTS' : 'UNKNOWN');
