/**
 * Python as the plain prompt takes it: without common indentation, without empty lines inside a block (they would end it),
 * and with one behind each block, so that it runs. Text in triple quotes is left as it is.
 */
export function forPythonPrompt(code: string): string {
  const lines = dedent(code.replaceAll('\r\n', '\n').split('\n'));
  const out: string[] = [];
  let inText: string | undefined;
  let depth = 0;
  let block = false;
  for (const line of lines) {
    const fresh = inText === undefined && depth === 0;
    // A remark is left out too: at the margin of a block it would end it.
    if (fresh && /^\s*(?:#.*)?$/.test(line)) continue;
    const continues = /^\s|^(?:elif|else|except|finally|case)\b/.test(line) || out.at(-1)?.startsWith('@') === true;
    if (fresh && block && !continues) {
      out.push('');
      block = false;
    }
    out.push(line);
    if (fresh && (continues || /:\s*(?:#.*)?$/.test(line) || line.startsWith('@'))) block = true;
    [inText, depth] = scan(line, inText, depth);
  }
  if (block) out.push('');
  return out.join('\n') + '\n';
}

/** Which triple quotes and how many brackets are open at the end of a line. */
function scan(line: string, open: string | undefined, brackets: number): [string | undefined, number] {
  let inText = open;
  let depth = brackets;
  for (let i = 0; i < line.length; i++) {
    const three = line.slice(i, i + 3);
    if (inText !== undefined) {
      if (line[i] === '\\') i++;
      else if (inText.length === 3 ? three === inText : line[i] === inText) {
        i += inText.length - 1;
        inText = undefined;
      }
    } else if (three === '"""' || three === "'''") {
      inText = three;
      i += 2;
    } else if (line[i] === '"' || line[i] === "'") inText = line[i];
    else if (line[i] === '#') break;
    else if ('([{'.includes(line[i] ?? '')) depth++;
    else if (')]}'.includes(line[i] ?? '')) depth = Math.max(0, depth - 1);
  }
  // Only text in triple quotes goes on in the next line.
  return [inText?.length === 3 ? inText : undefined, depth];
}

function dedent(lines: readonly string[]): string[] {
  const indents = lines.filter((line) => line.trim() !== '').map((line) => /^\s*/.exec(line)?.[0].length ?? 0);
  const common = Math.min(...indents, Number.POSITIVE_INFINITY);
  return Number.isFinite(common) ? lines.map((line) => line.slice(Math.min(common, /^\s*/.exec(line)?.[0].length ?? 0))) : [...lines];
}
