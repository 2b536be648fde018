import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Files of a big tree, as a grown project has them: 1,000 folders below 50, with 50 small files each. */
export const bigTreeFiles = 50_000;

const program = `BEGIN {
  for (a = 0; a < 50; a++) for (b = 0; b < 20; b++) for (c = 0; c < 50; c++) {
    file = sprintf("%s/package%02d/module_%02d/%s%02d.%s", dir, a, b, c % 2 ? "testHelper" : "train_step", c, c % 3 ? "py" : "json")
    print "def step(x): return x", (++n % 499 ? "" : "needle") > file; close(file)
  }
}`;

/** Makes such a tree in `dir`. One line in each file; `needle` in every 499th; every third is JSON. */
export function makeBigTree(dir: string): void {
  for (let a = 0; a < 50; a++) for (let b = 0; b < 20; b++) mkdirSync(`${dir}/package${String(a).padStart(2, '0')}/module_${String(b).padStart(2, '0')}`, { recursive: true });
  execFileSync('awk', ['-v', `dir=${dir}`, program]);
}
