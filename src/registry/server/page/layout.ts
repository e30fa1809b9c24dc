import { sizeInWords, spanInWords } from '../configuration/units.ts';
import { markup, type Markup, type Part } from './markup.ts';

/** What stands around every page. */
export interface Frame {
  /** The registry's host and port. */
  readonly host: string;
  readonly user: string | undefined;
  /** Whether logging in is of use. */
  readonly hasUsers: boolean;
  readonly readOnly: boolean;
  /** Changes with every version of style and script. */
  readonly version: string;
  /** Path and query, to come back to. */
  readonly here: string;
  /** Nanoseconds since the epoch. */
  readonly now: bigint;
}

/** A whole document. `wide` is what a page is headed by. */
export function layout(frame: Frame, title: string, content: Markup): string {
  const { host, version } = frame;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${host}</title>
<link rel="icon" type="image/svg+xml" href="/-/icon.svg">
<link rel="stylesheet" href="/-/style.css?v=${version}">
<script src="/-/script.js?v=${version}" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header class="bar"><div class="width">
<a class="brand" href="/">${mark}<span>${host}</span></a>
${frame.readOnly && markup`<span class="badge quiet">read-only</span>`}
<div class="session">${session(frame)}</div>
</div></header>
<main id="content" class="width" tabindex="-1">${content}</main>
<footer class="width"><p>Wharf registry · OCI distribution 1.1</p></footer>
</body>
</html>
`.text;
}

/** Seen small: waves under a pier. */
const mark = markup`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><path d="M3 7h18M6 7v7M12 7v7M18 7v7" /><path d="M2 18c1.7 0 1.7-1.5 3.3-1.5S7 18 8.7 18s1.7-1.5 3.3-1.5S13.7 18 15.3 18s1.7-1.5 3.4-1.500S20.3 18 22 18" /></svg>`;

export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="5" fill="#0b5f7e"/><g fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"><path d="M4 8h16M7 8v5M12 8v5M17 8v5"/><path d="M4 17.500c1.3 0 1.3-1.2 2.7-1.200s1.3 1.2 2.6 1.2 1.4-1.2 2.7-1.2 1.3 1.2 2.7 1.2 1.3-1.2 2.6-1.2 1.4 1.2 2.7 1.2"/></g></svg>';

function session({ user, hasUsers, here }: Frame): Part {
  if (!hasUsers) return undefined;
  if (user === undefined)
    return markup`<a class="button" href="/-/login?next=${encodeURIComponent(here)}">Sign in</a>`;
  return markup`<span class="user">${user}</span><form method="post" action="/-/logout"><button class="button">Sign out</button></form>`;
}

/** `/r/team/app`, and of a tag or digest in it. */
export const repositoryPath = (repository: string): string => `/r/${repository}`;
export const referencePath = (repository: string, reference: string): string =>
  `/r/${repository}/-/${encodeURIComponent(reference)}`;

export const crumbs = (...steps: readonly Part[]): Markup =>
  markup`<nav class="crumbs" aria-label="Breadcrumb"><ol>
<li><a href="/">Repositories</a></li>${steps.map((step) => markup`<li>${step}</li>`)}
</ol></nav>`;

export const size = (bytes: number): Markup =>
  markup`<span class="number">${sizeInWords(bytes).replace(/([A-Za-z]+)$/, ' $1')}</span>`;

/** `3 days ago`; the time itself when pointed at. */
export function moment(time: bigint, now: bigint): Markup {
  const date = new Date(Number(time / 1_000_000n));
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString();
  const ago = Number((now - time) / 1_000_000n);
  const words = ago < 60_000 ? 'just now' : `${spanInWords(ago)} ago`;
  return markup`<time datetime="${text}" title="${text.replace('T', ' ').slice(0, 19)} UTC">${words}</time>`;
}

/** A time in somebody's document; nothing where it is none, or that of reproducible builds. */
export function documentMoment(text: string, now: bigint): Markup | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) || time <= 0 ? undefined : moment(BigInt(time) * 1_000_000n, now);
}

/** A digest of which the beginning is shown. */
export const shortDigest = (digest: string): Markup =>
  markup`<code class="digest" title="${digest}">${digest.replace(/^sha256:/, '').slice(0, 12)}</code>`;

/** Copies a text; shown where scripts run. */
export const copyButton = (text: string, what: string): Markup =>
  markup`<button type="button" class="copy" data-copy="${text}" aria-label="Copy ${what}" hidden><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M5.5 5.500V2.500h8v8h-3M2.5 5.500h8v8h-8z" /></svg></button>`;

/** How much of a whole, as a bar. */
export const share = (part: number, whole: number): Markup => {
  const percent = whole <= 0 ? 0 : Math.min(100, Math.max(0.6, (100 * part) / whole));
  return markup`<svg class="share" aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 100 1"><rect width="${percent.toFixed(1)}" height="1" /></svg>`;
};

export const nothing = (text: string): Markup => markup`<p class="nothing">${text}</p>`;
