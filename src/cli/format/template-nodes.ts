/** The syntax tree of Go's text/template. `at` is an offset in the source, `text` the node as Go prints it. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | Block
  | { readonly kind: 'break' | 'continue' };

export interface Block {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: Pipe;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export interface Pipe {
  /** Variables set to the result; two for `range $k, $v`. */
  readonly variables: readonly string[];
  /** `=` rather than `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

export interface Command {
  readonly operands: readonly [Operand, ...Operand[]];
}

interface Place {
  readonly at: number;
  readonly text: string;
}

export type Operand = Place & OperandKind;

type OperandKind =
  | { readonly kind: 'dot' | 'nil' }
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'field'; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly names: readonly string[] };
