// `npm start`: VS Code with the extension, over RunPod on this machine, or over the real one when RUNPOD_API_KEY is set.
//   --port N     where the editor in the browser listens (8765, or any free port)
//   --browser    the editor in the browser, even where there is a desktop one
//   --folder F   the folder it opens, instead of a sample project
import { main, setUp } from '../setup/setup.mjs';
import { findDesktopEditor } from './desktop.mjs';
import { parseArgs } from 'node:util';

await main(async () => {
  const { values } = parseArgs({ options: { port: { type: 'string' }, browser: { type: 'boolean' }, folder: { type: 'string' } } });
  const desktop = values.browser || values.port !== undefined ? undefined : findDesktopEditor();
  await setUp({ simulator: !process.env.RUNPOD_API_KEY, server: desktop === undefined });
  // TypeScript from here on: its runner is among what was just installed.
  const { tsImport } = await import('tsx/esm/api');
  const { start } = await tsImport('./start.ts', import.meta.url);
  await start({ desktop, port: values.port === undefined ? undefined : Number(values.port), folder: values.folder });
});
