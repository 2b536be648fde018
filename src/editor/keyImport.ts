import { parse as parseDotenv } from 'dotenv';
import { parse as parseToml } from 'smol-toml';

/** `RUNPOD_API_KEY` in the text of a `.env` file. */
export function keyInEnvFile(text: string): string | undefined {
  return parseDotenv(text)['RUNPOD_API_KEY']?.trim() || undefined;
}

/** `apikey` in the text of runpodctl's `config.toml`. A broken file holds none. */
export function keyInToml(text: string): string | undefined {
  try {
    for (const [name, value] of Object.entries(parseToml(text)))
      if (/^api_?key$/i.test(name) && typeof value === 'string' && value.trim() !== '') return value.trim();
  } catch {
    return undefined;
  }
  return undefined;
}
