/** One challenge of a WWW-Authenticate header (RFC 9110 section 11.6.1). */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const token68 = /[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
const blank = /[\s,]*/y;
const equals = /\s*=\s*/y;

class Scanner {
  readonly #text: string;
  position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.position >= this.#text.length;
  }

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.#text);
    if (match) this.position = pattern.lastIndex;
    return match ?? undefined;
  }
}

/** Reads `name = value`; leaves the scanner where it was if there is none. */
function takeParameter(scanner: Scanner): readonly [name: string, value: string] | undefined {
  const before = scanner.position;
  const name = scanner.take(token)?.[0];
  if (name !== undefined && scanner.take(equals)) {
    const text = scanner.take(quoted)?.[1];
    const value = text === undefined ? scanner.take(token)?.[0] : text.replace(/\\(.)/g, '$1');
    if (value !== undefined) return [name.toLowerCase(), value];
  }
  scanner.position = before;
  return undefined;
}

/** All challenges of the header's values, in order; what cannot be read is left out. */
export function parseChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const challenges: Challenge[] = [];
  for (const line of typeof header === 'string' ? [header] : (header ?? [])) {
    const scanner = new Scanner(line);
    scanner.take(blank);
    while (!scanner.atEnd) {
      const scheme = scanner.take(token)?.[0];
      if (scheme === undefined) break;
      scanner.take(blank);
      const parameters: Record<string, string> = {};
      for (let pair = takeParameter(scanner); pair; pair = takeParameter(scanner)) {
        parameters[pair[0]] = pair[1];
        scanner.take(blank);
      }
      if (Object.keys(parameters).length === 0 && scheme.toLowerCase() !== 'basic') scanner.take(token68);
      scanner.take(blank);
      challenges.push({ scheme: scheme.toLowerCase(), parameters });
    }
  }
  return challenges;
}
