/** Runs in browsers: filtering while typing, and copying. Everything else works without it. */
export const script = `'use strict';
for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add('done');
    setTimeout(() => button.classList.remove('done'), 1200);
  });
}
const filter = document.querySelector('.filter input');
const rows = document.querySelectorAll('[data-filtered] [data-name]');
filter?.addEventListener('input', () => {
  const wanted = filter.value.trim().toLowerCase();
  for (const row of rows) row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
});
addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (!filter) return;
  event.preventDefault();
  filter.focus();
});
`;
