import { HclError, hclError } from '../diagnostic.ts';
import type { Expression } from '../syntax/expression.ts';
import { spanning } from '../syntax/source.ts';
import { unify } from '../values/convertible.ts';
import type { Type, Value } from '../values/value.ts';
import { sameType, typeName } from '../values/value.ts';

/** The type that both results become; undefined if one is not known. Throws HclError where there is none. */
export function chooseType(
  yes: Value | HclError,
  no: Value | HclError,
  expression: Expression & { kind: 'conditional' },
): Type | undefined {
  if (yes instanceof HclError || no instanceof HclError) return undefined;
  if (yes.type.kind === 'any') return no.type;
  if (no.type.kind === 'any') return yes.type;
  const type = unify([yes.type, no.type]);
  if (type) return type;
  throw hclError(
    'Inconsistent conditional result types',
    `The true and false result expressions must have consistent types. ${difference(yes.type, no.type)}.`,
    spanning(expression.yes.range, expression.no.range),
  );
}

function difference(yes: Type, no: Type): string {
  if (yes.kind === 'object' && no.kind === 'object') {
    for (const [name, type] of [...yes.attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const other = no.attributes.get(name);
      const quoted = JSON.stringify(name);
      if (!other)
        return `The 'true' value includes object attribute ${quoted}, which is absent in the 'false' value`;
      if (!sameType(type, other))
        return `Type mismatch for object attribute ${quoted}: ${difference(type, other)}`;
    }
    const extra = [...no.attributes.keys()].sort().find((name) => !yes.attributes.has(name));
    return `The 'false' value includes object attribute ${JSON.stringify(extra)}, which is absent in the 'true' value`;
  }
  if (yes.kind === 'tuple' && no.kind === 'tuple') {
    if (yes.elements.length !== no.elements.length) {
      return `The 'true' tuple has length ${yes.elements.length}, but the 'false' tuple has length ${no.elements.length}`;
    }
    const at = yes.elements.findIndex((type, index) => !sameType(type, no.elements[index] ?? type));
    const [left, right] = [yes.elements[at], no.elements[at]];
    if (left && right) return `Type mismatch for tuple element ${at}: ${difference(left, right)}`;
  }
  return `The 'true' value is ${typeName(yes)}, but the 'false' value is ${typeName(no)}`;
}
