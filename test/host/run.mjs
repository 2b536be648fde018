// The extension in a real VS Code: `npm run test:host` runs the suite inside its extension host, then the stories, which
// click and type in its window. `-- suite` or `-- stories` runs one of the two; further words choose files by name.
// `--pictures` writes the README's pictures to media/readme/.
import { conclude, runPart } from '../setup/parts.mjs';
import { main, setUp } from '../setup/setup.mjs';
import { buildPart, storyParts, suitePart } from './parts.mjs';

await main(async () => {
  const words = process.argv.slice(2);
  if (words.includes('--pictures')) process.env.RUNPOD_PICTURES = '1';
  const [which, ...names] = words.filter((word) => !word.startsWith('--'));
  await setUp({ simulator: true, server: true, browser: true });
  const built = await runPart(buildPart(), { live: true });
  const results = [built];
  if (built.failed === 0) {
    if (which !== 'stories') results.push(await runPart(suitePart(names), { live: true }));
    for (const story of which === 'suite' ? [] : storyParts(names)) results.push(await runPart(story, { live: true }));
  }
  conclude(results);
});
