import tseslint from 'typescript-eslint';

/** What each room may import, lowest first (see the table in CONTRIBUTING.md). `base` is open to all. */
const rooms = {
  base: [],
  runpod: [],
  ssh: [],
  pods: ['runpod', 'ssh'],
  files: ['pods', 'ssh'],
  sync: ['pods', 'ssh', 'files'],
  runs: ['pods', 'ssh', 'files', 'sync'],
  editor: ['runpod', 'ssh', 'pods', 'files', 'sync', 'runs'],
};
const vendors = ['undici', 'ssh2'];

const roomRules = Object.entries(rooms).map(([room, below]) => {
  const forbidden = Object.keys(rooms).filter((r) => r !== room && r !== 'base' && !below.includes(r));
  const patterns = [
    { group: ['**/extension'], message: 'Nothing imports extension.ts.' },
    // Bundled apart and loaded at first need: only `await import()` in the room's loader may load them.
    ...vendors.map((v) => ({ group: [v], allowTypeImports: true, message: `Load ${v} with the room's loader; import only its types.` })),
  ];
  if (forbidden.length > 0)
    patterns.push({ group: forbidden.map((r) => `**/${r}/**`), message: `src/${room} may import only: base ${below.join(' ')}` });
  if (room !== 'editor') patterns.push({ group: ['vscode'], message: 'Only src/editor and extension.ts touch vscode.' });
  return {
    files: [`src/${room}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  };
});

/** What is shown to the person goes through one place each, where what others wrote is kept from becoming links, commands and icons. */
const shownBy = [
  { calls: 'show(Information|Warning|Error)Message|setStatusBarMessage', by: 'src/editor/prompts/notice.ts', message: 'Use `notice` (src/editor/prompts/notice.ts).' },
  { calls: 'showQuickPick|createQuickPick|showInputBox', by: 'src/editor/prompts/ask.ts', message: 'Use `ask` (src/editor/prompts/ask.ts).' },
  { calls: 'withProgress', by: 'src/editor/progress.ts', too: ['src/editor/guard/reminder.ts'], message: 'Use `withProgress` of src/editor/progress.ts.' },
];
const rowsOfLists = { selector: "AssignmentExpression > MemberExpression.left[property.name='items']", message: 'Use `setRows` (src/editor/prompts/ask.ts).' };
const shown = (except) => [
  ...shownBy.filter(({ by }) => by !== except).map(({ calls, message }) => ({ selector: `MemberExpression[property.name=/^(${calls})$/]`, message })),
  ...(except === 'src/editor/prompts/ask.ts' ? [] : [rowsOfLists]),
];
const shownRules = [
  { files: ['src/editor/**/*.ts', 'src/extension.ts'], rules: { 'no-restricted-syntax': ['error', ...shown()] } },
  ...shownBy.map(({ by, too = [] }) => ({ files: [by, ...too], rules: { 'no-restricted-syntax': ['error', ...shown(by)] } })),
];

export default tseslint.config(
  { ignores: ['dist/**', 'out/**', 'node_modules/**', '.vscode-test/**', 'test/simulator/workspaces/**'] },
  ...tseslint.configs.recommendedTypeChecked.map((c) => ({ ...c, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      'no-restricted-properties': ['error', { object: 'describe', property: 'only' }, { object: 'it', property: 'only' }, { object: 'describe', property: 'skip' }, { object: 'it', property: 'skip' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  ...roomRules,
  ...shownRules,
);
