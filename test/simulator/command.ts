import { quote } from '../../src/base/shell';
import { badRequest } from './problem';

/** The exec form of a start command. */
export interface ExecForm {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

/** The stored start command of a request that may use either form. @throws Problem 400 when both are sent and differ. */
export function storedArgs(request: { args?: string; cmd?: readonly string[]; entrypoint?: readonly string[] }): string | undefined {
  if (request.cmd === undefined && request.entrypoint === undefined) return request.args;
  const stored = JSON.stringify({ entrypoint: request.entrypoint ?? [], cmd: request.cmd ?? [] });
  if (request.args !== undefined && request.args !== '' && JSON.stringify(execForm(request.args)) !== stored)
    throw badRequest('args and cmd/entrypoint disagree; send one of them');
  return stored;
}

/** The exec form of a stored command; a plain string is one `cmd` of its words. */
export function execForm(args: string): ExecForm {
  return parsed(args) ?? { entrypoint: [], cmd: args.split(/\s+/).filter((word) => word !== '') };
}

/** The stored command as one line for a shell. */
export function commandLine(args: string): string {
  const form = parsed(args);
  return form === undefined ? args : [...form.entrypoint, ...form.cmd].map(quote).join(' ');
}

function parsed(args: string): ExecForm | undefined {
  if (!args.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(args) as { entrypoint?: unknown; cmd?: unknown };
    const words = (list: unknown): string[] => (Array.isArray(list) ? list.map(String) : []);
    return { entrypoint: words(value.entrypoint), cmd: words(value.cmd) };
  } catch {
    return undefined;
  }
}
