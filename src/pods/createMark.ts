/** The variable that marks a pod as the fruit of one particular create, so that a lost answer can be told from no pod. */
export const CREATE_MARK = 'RUNPOD_WORKSPACES_CREATE';
