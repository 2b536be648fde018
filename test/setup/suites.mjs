import { mocha } from './parts.mjs';

/** Unit and contract tests. Files share no state, so they run beside each other in `jobs` worker processes. */
export const unitPart = ({ files = [], ignore = [], jobs = 2 } = {}) => mocha('Unit', [
  '--parallel', '--jobs', String(jobs),
  ...['test/host/**', ...ignore].flatMap((pattern) => ['--ignore', pattern]),
  ...(files.length > 0 ? files : ['test/**/*.test.ts']),
], 12);

/** The package: what is in it, and that it is small and quiet. */
export const packagePart = () => mocha('Package', ['test/package.test.ts'], 3);

export const soakPart = (files = []) => mocha('Soak', ['--timeout', '600000', ...(files.length > 0 ? files : ['test/**/*.soak.ts'])], 38);
