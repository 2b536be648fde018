/** Nothing on the pod can execute a notebook. */
export class NoNotebookToolError extends Error {
  override readonly name = 'NoNotebookToolError';
  constructor(
    readonly podId: string,
    readonly podName: string,
    readonly path: string,
    /** Shell text that puts it there. */
    readonly install: string,
  ) {
    super(`Neither nbconvert nor papermill on ${podName}`);
  }
}
