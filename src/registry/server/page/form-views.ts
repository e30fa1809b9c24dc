import { markup, type Markup } from './markup.ts';
import { crumbs, referencePath, repositoryPath } from './layout.ts';

/** The form to log in with; `problem` is what was wrong the last time. */
export const loginView = (host: string, next: string, problem: string | undefined): Markup =>
  markup`<div class="dialog card"><h1>Sign in</h1>
<p class="muted">With the name and password that <code>docker login ${host}</code> takes.</p>
${problem !== undefined && markup`<p class="problem" role="alert">${problem}</p>`}
<form method="post" action="/-/login">
<input type="hidden" name="next" value="${next}">
<label for="user">User name</label><input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required>
<button class="button main">Sign in</button>
</form></div>`;

/** Asks before a tag is deleted. `others`: further tags at the same manifest. */
export const deletionView = (
  repository: string,
  tag: string,
  digest: string,
  others: readonly string[],
): Markup =>
  markup`${crumbs(markup`<a href="${repositoryPath(repository)}">${repository}</a>`, tag)}
<div class="dialog card"><h1>Delete tag?</h1>
<p><b>${repository}:${tag}</b> will no longer be found under this name.</p>
<p class="muted">${
    others.length > 0
      ? `The image stays: ${others.slice(0, 5).join(', ')} ${others.length === 1 ? 'stands' : 'stand'} for it too.`
      : 'The image can then only be pulled by its digest, until it is collected as garbage.'
  }</p>
<p><code class="whole">${digest}</code></p>
<form method="post" action="/-/delete" class="choices">
<input type="hidden" name="repository" value="${repository}"><input type="hidden" name="tag" value="${tag}">
<a class="button" href="${referencePath(repository, tag)}">Keep it</a>
<button class="button danger main">Delete tag</button>
</form></div>`;

/** What went wrong, for a person. */
export const problemView = (title: string, text: string): Markup =>
  markup`<div class="dialog card"><h1>${title}</h1><p>${text}</p><p><a class="button" href="/">All repositories</a></p></div>`;
