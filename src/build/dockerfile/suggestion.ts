/** Changes of one character that make one text the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** At most this many changes away is a suggestion still of help. */
const nearest = 2;

/**
 * What was probably meant. Nothing when the text is one of the choices (then something else is wrong), or when none
 * is near. Without `caseSensitive` the answer comes in the case of the text.
 */
export function suggestion(
  text: string,
  choices: Iterable<string>,
  { caseSensitive }: { caseSensitive: boolean },
): string | undefined {
  const fold = (value: string): string => (caseSensitive ? value : value.toLowerCase());
  const wanted = fold(text);
  let best: string | undefined;
  let bound = nearest;
  for (const choice of choices) {
    const candidate = fold(choice);
    if (candidate === wanted) return undefined;
    if (Math.abs(candidate.length - wanted.length) > bound) continue;
    const changes = distance(wanted, candidate);
    if (changes > bound || (changes === bound && best !== undefined)) continue;
    best = candidate;
    bound = changes;
  }
  if (best === undefined || caseSensitive) return best;
  return text === text.toUpperCase() && text !== text.toLowerCase() ? best.toUpperCase() : best;
}

/** The message with `(did you mean …?)` where there is something to suggest. */
export function withSuggestion(
  message: string,
  text: string,
  choices: Iterable<string>,
  options: { caseSensitive: boolean },
): string {
  const meant = suggestion(text, choices, options);
  return meant === undefined || meant === '' ? message : `${message} (did you mean ${meant}?)`;
}
