import { createHash } from 'node:crypto';
import parseExpression from 'spdx-expression-parse';

/** A license as SPDX wants it: an expression of its own identifiers, or one of the document that quotes the text. */
export type License =
  | { readonly kind: 'expression'; readonly expression: string }
  | { readonly kind: 'text'; readonly id: string; readonly text: string };

export function licenseOf(text: string): License {
  try {
    parseExpression(text);
    return { kind: 'expression', expression: text };
  } catch {
    const words = text
      .replace(/[^A-Za-z0-9.-]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 48);
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
    return { kind: 'text', id: `LicenseRef-${words}-${hash}`, text };
  }
}
