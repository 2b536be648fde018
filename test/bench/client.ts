/** Whoever can work on the far folder. What a method leaves out is what that program cannot do at all. */
export interface Client {
  readonly name: string;
  /** Takes a small file's content, as an editor that opens it. */
  open?(path: string): Promise<void>;
  /** Replaces a small file, on the disk when it resolves. */
  save?(path: string, content: Buffer): Promise<void>;
  /** Names and kinds. */
  list?(folder: string): Promise<void>;
  /** Names, kinds, sizes and times. */
  listWithStats?(folder: string): Promise<void>;
  deleteTree?(folder: string): Promise<void>;
  copy?(from: string, to: string): Promise<void>;
  rename?(from: string, to: string): Promise<void>;
  /** A big file, from the server. */
  read?(path: string): Promise<void>;
  /** A big file, to the server and on the disk when it resolves. */
  write?(path: string): Promise<void>;
  /** Deletes so slowly that a small tree stands for a large one. */
  readonly deletesOneByOne?: boolean;
  end(): Promise<void>;
}

/** What a client needs to know of the place it works at. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly keyFile: string;
  /** A `known_hosts` file with the server's key. */
  readonly knownHosts: string;
  /** A local folder of the client's own. */
  readonly scratch: string;
  /** A local file of the size that `read` and `write` are measured with. */
  readonly bigFile: string;
}

/** A peer that cannot run here, and why. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}

/** Options by which every OpenSSH program finds the place. */
export const sshOptions = ({ port, keyFile, knownHosts }: Place): string[] =>
  [`Port=${port}`, `IdentityFile=${keyFile}`, `UserKnownHostsFile=${knownHosts}`, 'IdentitiesOnly=yes', 'BatchMode=yes', 'LogLevel=ERROR'].map((option) => `-o${option}`);
