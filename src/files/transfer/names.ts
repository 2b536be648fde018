import { createHash } from 'node:crypto';

/** What a computer's file names can be. */
export interface NameRules {
  /** Windows' reserved names and characters. */
  readonly windows: boolean;
  /** Two names that differ in case only are two files. */
  readonly caseSensitive: boolean;
  /** Any bytes, not only text. */
  readonly bytes: boolean;
}

export const rulesOf = (platform: NodeJS.Platform): NameRules => ({
  windows: platform === 'win32',
  caseSensitive: platform !== 'win32' && platform !== 'darwin',
  bytes: platform !== 'win32' && platform !== 'darwin',
});

const reserved = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?= *(?:\.|$))/i;
const hex = (code: number): string => `%${code.toString(16).toUpperCase().padStart(2, '0')}`;

/** A pod's name as this computer can hold it: what it cannot is written as `%` and two digits. */
function localName(name: string, rules: NameRules): string {
  let out = name;
  if (!rules.bytes) out = out.replace(/[\uef80-\uefff]/g, (c) => hex(c.charCodeAt(0) - 0xef00));
  if (!rules.windows) return out;
  return out
    .replace(/[<>:"|?*\\\x01-\x1f]/g, (c) => hex(c.charCodeAt(0)))
    .replace(/[. ]$/, (c) => hex(c.charCodeAt(0)))
    .replace(reserved, '$1_');
}

/** Bytes of one name on every Linux file system that pods use. */
const maxPodName = 255;

/** This computer's name as a pod can hold it. macOS writes accents apart from their letters; Linux tools expect them together. */
function podName(name: string, platform: NodeJS.Platform): string {
  const text = (platform === 'darwin' ? name.normalize('NFC') : name).replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
  if (Buffer.byteLength(text) <= maxPodName) return text;
  const dot = text.lastIndexOf('.');
  const extension = dot > 0 && Buffer.byteLength(text.slice(dot)) <= 32 ? text.slice(dot) : '';
  const mark = `~${createHash('sha256').update(text).digest('hex').slice(0, 8)}${extension}`;
  let stem = [...text.slice(0, text.length - extension.length)];
  while (Buffer.byteLength(stem.join('') + mark) > maxPodName) stem = stem.slice(0, -1);
  return stem.join('') + mark;
}

/** Finds a name for everything that comes into one folder, none of them twice. */
export class FolderNames {
  readonly #taken = new Set<string>();

  private constructor(
    readonly fit: (name: string) => string,
    readonly fold: (name: string) => string,
  ) {}

  static onThisComputer(rules: NameRules): FolderNames {
    return new FolderNames(
      (name) => localName(name, rules),
      (name) => (rules.caseSensitive ? name : name.normalize('NFC').toLowerCase()),
    );
  }

  static onPod(platform: NodeJS.Platform): FolderNames {
    return new FolderNames((name) => podName(name, platform), (name) => name);
  }

  /** The name that `name` gets; the same one unless it cannot be, or is taken. */
  take(name: string): string {
    const fitting = this.fit(name);
    const dot = fitting.lastIndexOf('.');
    const [stem, extension] = dot > 0 ? [fitting.slice(0, dot), fitting.slice(dot)] : [fitting, ''];
    let out = fitting;
    for (let n = 2; this.#taken.has(this.fold(out)); n++) out = `${stem} (${n})${extension}`;
    this.#taken.add(this.fold(out));
    return out;
  }
}
