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
      // Colons are no token: they only ever part a name from what follows.
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
    const aliased = aliases.has(at - 1);
    const field = aliased ? name() : first;
    let args: Record<string, unknown> = {};
    if (peek() === '(') {
      take('(');
      args = pairs(')');
    }
    return { name: field, alias: first, args, fields: peek() === '{' ? selections() : [] };
  };
  const aliases = aliasPositions(text, tokens);

  let kind: Operation['kind'] = 'query';
  if (peek() === 'query' || peek() === 'mutation') {
    kind = take() === 'mutation' ? 'mutation' : 'query';
    if (peek() !== '{' && peek() !== '(') name();
    if (peek() === '(') while (take() !== ')');
  }
  return { kind, fields: selections() };
}

/** Indexes of tokens that a colon follows outside of parentheses: aliases. */
function aliasPositions(text: string, tokens: readonly string[]): Set<number> {
  const positions = new Set<number>();
  const clean = text.replace(/#.*$/gm, '');
  let from = 0;
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    const found = clean.indexOf(token, from);
    from = found + token.length;
    if (token === '(') depth++;
    if (token === ')') depth--;
    if (depth === 0 && /^\s*:/.test(clean.slice(from))) positions.add(i);
  }
  return positions;
}
