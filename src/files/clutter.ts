/** Folders whose files no person wrote and nobody looks for by name: environments and caches. Left out of searches unless asked for. */
export const clutter: readonly string[] = [
  ...['.venv', 'venv', '.conda', '.tox', '.nox', 'node_modules', 'site-packages'],
  ...['__pycache__', '.ipynb_checkpoints', '.mypy_cache', '.pytest_cache', '.ruff_cache', '.cache'],
];
