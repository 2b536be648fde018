/** A field of a query: its arguments with variables filled in, and what is wanted of it. */
export interface Selection {
  readonly name: string;
  readonly alias: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly fields: readonly Selection[];
}

export interface Operation {
  readonly kind: 'query' | 'mutation';
  readonly fields: readonly Selection[];
}

/** Reads the part of GraphQL that RunPod's clients use: one operation, arguments, variables, aliases. No fragments. @throws SyntaxError */
export function parseOperation(text: string, variables: Readonly<Record<string, unknown>> = {}): Operation {
  const tokens = text.replace(/#.*$/gm, '').match(/"(?:[^"\\]|\\.)*"|[_A-Za-z][_0-9A-Za-z]*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\.\.|[!$():=@[\]{}|]/g) ?? [];
  let at = 0;
  const peek = (): string | undefined => tokens[at];
  const take = (expected?: string): string => {
    const token = tokens[at++];
    if (token === undefined) throw new SyntaxError('Syntax Error: Unexpected <EOF>.');
    if (expected !== undefined && token !== expected) throw new SyntaxError(`Syntax Error: Expected "${expected}", found "${token}".`);
    return token;
  };
  const name = (): string => {
    const token = take();
    if (!/^[_A-Za-z]/.test(token)) throw new SyntaxError(`Syntax Error: Expected Name, found "${token}".`);
    return token;
  };
  const value = (): unknown => {
    const token = take();
    if (token === '$') return variables[name()];
    if (token === '[') {
      const list: unknown[] = [];
      while (peek() !== ']') list.push(value());
      take(']');
      return list;
    }
    if (token === '{') return pairs('}');
    if (token.startsWith('"')) return JSON.parse(token) as unknown;
    if (token === 'true' || token === 'false') return token === 'true';
    if (token === 'null') return null;
    // What is no number is the name of an enum's value.
    return /^-?\d/.test(token) ? Number(token) : token;
  };
  const pairs = (close: string): Record<string, unknown> => {
    const read: Record<string, unknown> = {};
    while (peek() !== close) {
      const key = name();
      take(':');
      read[key] = value();
    }
    take(close);
    return read;
  };
  const selections = (): Selection[] => {
    take('{');
    const fields: Selection[] = [];
    while (peek() !== '}') fields.push(selection());
    take('}');
    return fields;
  };
  const selection = (): Selection => {
    const first = name();
    let field = first;
    if (peek() === ':') {
      take(':');
      field = name();
    }
    let args: Record<string, unknown> = {};
    if (peek() === '(') {
      take('(');
      args = pairs(')');
    }
    return { name: field, alias: first, args, fields: peek() === '{' ? selections() : [] };
  };

  let kind: Operation['kind'] = 'query';
  if (peek() === 'query' || peek() === 'mutation') {
    kind = take() === 'mutation' ? 'mutation' : 'query';
    if (peek() !== '{' && peek() !== '(') name();
    if (peek() === '(') while (take() !== ')');
  }
  return { kind, fields: selections() };
}
